//! Objects: opaque bytes under a key.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{ErrorKind, PortError, PortResult};
use crate::time::Timestamp;

/// The key of an object: 1 to 512 bytes of path segments joined by `/`.
///
/// Segments are made of letters, digits and `_ - . = + @ !`, neither `.` nor `..`, none empty. What one store takes and
/// another refuses (control characters, `//`, `\`, `#`, a leading or trailing `/`) is refused here, for all stores alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Checks a text.
    ///
    /// # Errors
    /// `InvalidInput`, naming the rule that is broken.
    ///
    /// # Examples
    /// ```
    /// use dolmen_ports::ObjectKey;
    /// assert!(ObjectKey::parse("reports/2026-10.csv").is_ok());
    /// assert!(ObjectKey::parse("reports/../secrets").is_err());
    /// ```
    pub fn parse(text: &str) -> PortResult<Self> {
        let rule = if text.is_empty() || text.len() > 512 {
            "must be 1 to 512 bytes"
        } else if text.split('/').any(str::is_empty) {
            "must not start or end with / or contain //"
        } else if text.split('/').any(|segment| segment == "." || segment == "..") {
            "must not contain a segment . or .."
        } else if !text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.=+@!/".contains(c)) {
            "must consist of letters, digits and _ - . = + @ ! /"
        } else {
            return Ok(Self(text.to_owned()));
        };
        let shown: String = text.chars().take(80).collect();
        Err(PortError::new(ErrorKind::InvalidInput, "objects", "take the key")
            .with_detail(format!("object key {shown:?} {rule}")))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of an object's content, as its store tells it; an ETag for HTTP stores.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectVersion(pub String);

/// What `put` does when the key is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "any, none or this one")]
pub enum PutMode {
    /// Replaces what is there.
    #[default]
    Overwrite,
    /// Gives `AlreadyExists`.
    Create,
    /// Replaces only this version; gives `Conflict` otherwise.
    Replace(ObjectVersion),
}

/// How to store an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutOptions {
    /// What to do when the key is taken.
    pub mode: PutMode,
    /// The media type that readers get: 1 to 255 visible ASCII characters and spaces.
    pub content_type: String,
}

impl PutOptions {
    /// Replaces what is there.
    pub fn new(content_type: impl Into<String>) -> Self {
        Self { mode: PutMode::Overwrite, content_type: content_type.into() }
    }

    /// The same, in another mode.
    #[must_use]
    pub fn with_mode(mut self, mode: PutMode) -> Self {
        self.mode = mode;
        self
    }
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectMeta {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// Its version.
    pub version: ObjectVersion,
    /// When it was last written.
    pub modified_at: Timestamp,
    /// Its media type.
    pub content_type: String,
}

impl ObjectMeta {
    /// What is known of an object. For adapters.
    pub fn new(
        key: ObjectKey,
        size: u64,
        version: ObjectVersion,
        modified_at: Timestamp,
        content_type: impl Into<String>,
    ) -> Self {
        Self { key, size, version, modified_at, content_type: content_type.into() }
    }
}

/// An object and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// What is known of it.
    pub meta: ObjectMeta,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Object {
    /// An object. For adapters.
    pub fn new(meta: ObjectMeta, bytes: Bytes) -> Self {
        Self { meta, bytes }
    }
}

/// Which objects to list, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest {
    /// Only keys that start with this text.
    pub prefix: String,
    /// Only keys after this one: the last key of the page before.
    pub after: Option<ObjectKey>,
    /// How many at most; 1 to 1,000.
    pub limit: u32,
}

impl ListRequest {
    /// The first page of a prefix.
    pub fn new(prefix: impl Into<String>, limit: u32) -> Self {
        Self { prefix: prefix.into(), after: None, limit }
    }
}

/// Stores objects. Outside transactions: write from a job, then record the key in the database.
///
/// # Contract
/// - `OB-1` After `put` returned, `get`, `head` and `list` show the new object; a reader sees the old or the new bytes,
///   never a part.
/// - `OB-2` With `PutMode::Create`, of several concurrent writers exactly one succeeds; the others get `AlreadyExists`.
/// - `OB-3` With `PutMode::Replace`, a version that is no longer current gives `Conflict`, and so does a key that is
///   not there.
/// - `OB-4` Deleting a key that is not there is `Ok`.
/// - `OB-5` `list` is in byte order of the keys; pages of any size add up to the same keys.
/// - `OB-6` A failed `put` leaves nothing that a reader can see; a cancelled one leaves nothing, or the whole object when
///   it had already reached the store. Never a part.
/// - `OB-7` A key that is not there gives `NotFound`.
/// - `OB-8` A link made by `link` gives these bytes to anyone who has it until it expires, and to nobody afterwards.
/// - `OB-9` A content type, a limit or a validity outside of its rule gives `InvalidInput`, in every store alike.
#[async_trait]
pub trait ObjectStore: fmt::Debug + Send + Sync + 'static {
    /// Stores bytes under a key.
    async fn put(&self, key: &ObjectKey, bytes: Bytes, options: PutOptions) -> PortResult<ObjectVersion>;
    /// Reads an object.
    async fn get(&self, key: &ObjectKey) -> PortResult<Object>;
    /// Reads what is known of an object.
    async fn head(&self, key: &ObjectKey) -> PortResult<ObjectMeta>;
    /// Removes an object.
    async fn delete(&self, key: &ObjectKey) -> PortResult<()>;
    /// Lists objects in the order of their keys.
    async fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>>;
    /// Makes a link that reads the object without other credentials, for `valid_for` (1 second to 7 days).
    ///
    /// The link is absolute, or a path of this program when the store is served by it.
    async fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String>;
}

/// The rule `OB-9` for `put`, for adapters: a content type that can stand in a header line.
///
/// # Errors
/// `InvalidInput`.
pub fn check_put_options(options: &PutOptions) -> PortResult<()> {
    let text = &options.content_type;
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(PortError::new(ErrorKind::InvalidInput, "objects", "put")
            .with_detail("content_type must be 1 to 255 visible ASCII characters, such as text/csv"));
    }
    Ok(())
}

/// The rule `OB-9` for `list`, for adapters.
///
/// # Errors
/// `InvalidInput`.
pub fn check_list_request(request: &ListRequest) -> PortResult<()> {
    if (1..=1_000).contains(&request.limit) {
        return Ok(());
    }
    Err(PortError::new(ErrorKind::InvalidInput, "objects", "list")
        .with_detail("limit must be 1 to 1000; read further pages with `after`"))
}

/// The rule `OB-9` for `link`, for adapters.
///
/// # Errors
/// `InvalidInput`.
pub fn check_link_validity(valid_for: Duration) -> PortResult<()> {
    if (Duration::from_secs(1)..=Duration::from_hours(7 * 24)).contains(&valid_for) {
        return Ok(());
    }
    Err(PortError::new(ErrorKind::InvalidInput, "objects", "link")
        .with_detail("valid_for must be 1 second to 7 days"))
}

/// Checks the links of a store that this program serves itself.
///
/// # Contract
/// - `OL-1` `verify` accepts exactly what [`ObjectStore::link`] of the same store made, until it expires.
/// - `OL-2` Anything else, changed or expired, gives `PermissionDenied` with the same words.
pub trait LinkVerifier: fmt::Debug + Send + Sync + 'static {
    /// Checks the key and the query string (without `?`) of a request for an object.
    fn verify(&self, key: &ObjectKey, query: &str) -> PortResult<()>;
}
