//! The object store.

mod files;
mod layout;
mod list;
mod record;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    Bytes, ListRequest, Object, ObjectKey, ObjectMeta, ObjectStore, ObjectVersion, PortResult, PutOptions,
    check_list_request, check_put_options,
};

use crate::LinkSigner;
use crate::blocking;
use crate::failure::Operation;

use files::Files;

/// Objects as files below a directory; several processes may share it.
///
/// A file holds the object's bytes followed by one line with its version, time and content type. It is written aside,
/// synced and renamed, so that a reader sees one write or the other. Writers of one key wait for each other on a lock file.
/// `list` reads every directory that the prefix reaches, so it is made for thousands of objects and not for millions.
///
/// A symbolic link below the root is never followed: reading through one gives `PermissionDenied`. A full disk gives
/// `StorageFull`; a file whose bytes are not those that were written gives `Internal`.
/// Directories that became empty stay.
///
/// # Cancel safety
/// A `put` or `delete` that is dropped before its point of no return does nothing, even though its thread runs on;
/// afterwards it takes place whole.
#[derive(Debug, Clone)]
pub struct DirectoryObjectStore {
    files: Arc<Files>,
    links: LinkSigner,
}

impl DirectoryObjectStore {
    /// Opens a store, makes its directory when it is missing, and removes unfinished files of processes that were killed.
    ///
    /// # Errors
    /// `Internal` when the directory may not be read and written, `Unavailable` for other I/O errors.
    pub async fn open(root: impl Into<PathBuf>, links: LinkSigner) -> PortResult<Self> {
        let root = root.into();
        let files = blocking::run(Operation::objects("open"), move |_| Files::open(&root)).await?;
        Ok(Self { files: Arc::new(files), links })
    }
}

#[async_trait]
impl ObjectStore for DirectoryObjectStore {
    async fn put(&self, key: &ObjectKey, bytes: Bytes, options: PutOptions) -> PortResult<ObjectVersion> {
        check_put_options(&options)?;
        let (files, key, at) = (self.files.clone(), key.clone(), self.links.now());
        blocking::run(Operation::objects("put"), move |commit| files.put(&key, &bytes, &options, at, commit))
            .await
    }

    async fn get(&self, key: &ObjectKey) -> PortResult<Object> {
        let (files, key) = (self.files.clone(), key.clone());
        blocking::run(Operation::objects("get"), move |_| files.get(&key)).await
    }

    async fn head(&self, key: &ObjectKey) -> PortResult<ObjectMeta> {
        let (files, key) = (self.files.clone(), key.clone());
        let operation = Operation::objects("head");
        blocking::run(operation, move |_| files.head(&key, operation)).await
    }

    async fn delete(&self, key: &ObjectKey) -> PortResult<()> {
        let (files, key) = (self.files.clone(), key.clone());
        blocking::run(Operation::objects("delete"), move |commit| files.delete(&key, commit)).await
    }

    async fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>> {
        check_list_request(request)?;
        let (files, request) = (self.files.clone(), request.clone());
        blocking::run(Operation::objects("list"), move |_| files.list(&request)).await
    }

    async fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String> {
        self.links.link(key, valid_for)
    }
}
