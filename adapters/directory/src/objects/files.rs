//! The file work of the object store, on a thread that may block.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use dolmen_ports::{
    Bytes, ErrorKind, ListRequest, Object, ObjectKey, ObjectMeta, ObjectVersion, PortResult, PutMode,
    PutOptions, Timestamp,
};
use sha2::{Digest, Sha256};

use super::{layout, list, record};
use crate::blocking::Commit;
use crate::failure::{AtPath, Operation};
use crate::staging::{self, Staging};

/// The directories of an object store.
#[derive(Debug)]
pub(super) struct Files {
    /// Without symbolic links, so that one below it can be told.
    root: PathBuf,
    staging: Staging,
}

impl Files {
    pub(super) fn open(root: &Path) -> PortResult<Self> {
        let operation = Operation::objects("open");
        fs::create_dir_all(root).at(operation, root)?;
        let root = fs::canonicalize(root).at(operation, root)?;
        let locks = root.join(".~locks");
        fs::create_dir_all(&locks).at(operation, &locks)?;
        let staging = Staging::open(operation, root.join(".~tmp"))?;
        Ok(Self { root, staging })
    }

    pub(super) fn put(
        &self,
        key: &ObjectKey,
        bytes: &Bytes,
        options: &PutOptions,
        at: Timestamp,
        commit: &Commit,
    ) -> PortResult<ObjectVersion> {
        let operation = Operation::objects("put");
        let version = record::version_of(bytes, &options.content_type);
        let description = record::describe(&version, at, &options.content_type);
        let staged = self.staging.write(operation, &[bytes, &description])?;
        let path = layout::path_of(&self.root, key);
        self.make_parents(&path, operation)?;
        let _lock = self.lock(key, operation)?;
        self.check_mode(key, &path, &options.mode, operation)?;
        commit.begin(operation)?;
        staged.publish(operation, &path)?;
        Ok(version)
    }

    fn check_mode(
        &self,
        key: &ObjectKey,
        path: &Path,
        mode: &PutMode,
        operation: Operation,
    ) -> PortResult<()> {
        let expected = match mode {
            PutMode::Overwrite => return Ok(()),
            PutMode::Create => None,
            PutMode::Replace(version) => Some(version),
        };
        let current = match self.open_object(key, path, operation)? {
            Some(mut file) => record::read_meta(&mut file, key)
                .at(operation, path)?
                .map(|meta| meta.version)
                .ok_or_else(|| record::damaged(key, operation))
                .map(Some)?,
            None => None,
        };
        match (expected, current) {
            (None, None) => Ok(()),
            (None, Some(_)) => {
                Err(operation.error(ErrorKind::AlreadyExists).with_detail(format!("object {key} exists")))
            }
            (Some(expected), Some(current)) if *expected == current => Ok(()),
            (Some(_), _) => Err(operation
                .error(ErrorKind::Conflict)
                .with_detail(format!("object {key} no longer has this version; read it again"))),
        }
    }

    pub(super) fn get(&self, key: &ObjectKey) -> PortResult<Object> {
        let operation = Operation::objects("get");
        let path = layout::path_of(&self.root, key);
        let file = self.open_object(key, &path, operation)?.ok_or_else(|| not_found(key, operation))?;
        record::read_object(file, &path, key, operation)
    }

    pub(super) fn head(&self, key: &ObjectKey, operation: Operation) -> PortResult<ObjectMeta> {
        let path = layout::path_of(&self.root, key);
        let mut file = self.open_object(key, &path, operation)?.ok_or_else(|| not_found(key, operation))?;
        record::read_meta(&mut file, key).at(operation, &path)?.ok_or_else(|| record::damaged(key, operation))
    }

    pub(super) fn delete(&self, key: &ObjectKey, commit: &Commit) -> PortResult<()> {
        let operation = Operation::objects("delete");
        let path = layout::path_of(&self.root, key);
        if !self.parent_is_ours(&path, operation)? {
            return Ok(());
        }
        let _lock = self.lock(key, operation)?;
        commit.begin(operation)?;
        match fs::remove_file(&path) {
            Ok(()) => staging::sync_parent(&path).at(operation, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(operation.failed(&path, &error)),
        }
    }

    pub(super) fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>> {
        let operation = Operation::objects("list");
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let mut page: Vec<ObjectMeta> = Vec::new();
        let mut after = request.after.clone();
        loop {
            let wanted = limit - page.len();
            let keys = list::first_keys(self.root.clone(), request, after.as_ref(), wanted)
                .at(operation, &self.root)?;
            for key in &keys {
                match self.head(key, operation) {
                    Ok(meta) => page.push(meta),
                    // Deleted meanwhile; the next round fills the page, because a short one says that there is no more.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            if keys.len() < wanted || page.len() == limit {
                return Ok(page);
            }
            after = keys.last().cloned();
        }
    }

    /// One of 256 lock files, by the key's hash: writers of one key wait for each other, in all processes, and the files
    /// never have to be removed. A process that dies gives its lock back.
    fn lock(&self, key: &ObjectKey, operation: Operation) -> PortResult<File> {
        let hash = Sha256::digest(key.as_str());
        let stripe = hash.first().copied().unwrap_or_default();
        staging::lock(operation, &self.root.join(".~locks").join(format!("{stripe:02x}")))
    }

    /// Opens an object's file; `None` when there is none.
    fn open_object(&self, key: &ObjectKey, path: &Path, operation: Operation) -> PortResult<Option<File>> {
        if !self.parent_is_ours(path, operation)? {
            return Ok(None);
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => Err(operation
                .error(ErrorKind::PermissionDenied)
                .with_detail(format!("the file of object {key} is a symbolic link or not a file"))),
            Ok(_) => absent_is_none(File::open(path)).at(operation, path),
            Err(error) => absent_is_none(Err(error)).at(operation, path),
        }
    }

    /// Whether the directory of a file is there; an error when a symbolic link in its path leads elsewhere.
    fn parent_is_ours(&self, path: &Path, operation: Operation) -> PortResult<bool> {
        let parent = path.parent().unwrap_or(&self.root);
        match absent_is_none(fs::canonicalize(parent)).at(operation, parent)? {
            None => Ok(false),
            Some(real) if real == parent => Ok(true),
            Some(real) => Err(operation
                .error(ErrorKind::PermissionDenied)
                .with_detail("a directory of the object store is a symbolic link; replace it by a directory")
                .with_source(format!("{} leads to {}", parent.display(), real.display()))),
        }
    }

    /// Makes the directories above a file, and their names durable.
    fn make_parents(&self, path: &Path, operation: Operation) -> PortResult<()> {
        while !self.parent_is_ours(path, operation)? {
            let missing = path
                .ancestors()
                .skip(1)
                .take_while(|directory| directory.symlink_metadata().is_err())
                .last()
                .unwrap_or(&self.root);
            match fs::create_dir(missing) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(operation.failed(missing, &error));
                }
                _ => staging::sync_parent(missing).at(operation, missing)?,
            }
        }
        Ok(())
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn not_found(key: &ObjectKey, operation: Operation) -> dolmen_ports::PortError {
    operation.error(ErrorKind::NotFound).with_detail(format!("no object {key}"))
}
