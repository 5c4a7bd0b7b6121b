//! The format of an object's file: the bytes as they are, then one line that describes them.
//!
//! One file, so that no reader can see the bytes of one write with the description of another. The line comes last, so that
//! viewers recognise the file by its first bytes. The version is a hash of content type and bytes: known without asking
//! anybody, the same after a restore from a backup, and able to tell a damaged file. Equal contents have equal versions, as
//! in other object stores.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use dolmen_ports::{
    Bytes, ErrorKind, Object, ObjectKey, ObjectMeta, ObjectVersion, PortError, PortResult, Timestamp,
};
use sha2::{Digest, Sha256};

use crate::failure::{AtPath, Operation};

const MARK: &[u8] = b"\n~dolmen-object 1 ";
/// More than the longest description: mark, version, time and 255 bytes of content type.
const TAIL: u64 = 512;

/// The version of these contents.
pub(super) fn version_of(bytes: &[u8], content_type: &str) -> ObjectVersion {
    let mut hash = Sha256::new();
    hash.update(content_type);
    hash.update(b"\n");
    hash.update(bytes);
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    ObjectVersion(text)
}

/// The line after the bytes.
pub(super) fn describe(version: &ObjectVersion, at: Timestamp, content_type: &str) -> Vec<u8> {
    let mut line = MARK.to_vec();
    line.extend_from_slice(format!("{} {at} {content_type}\n", version.0).as_bytes());
    line
}

/// Reads the description of the object in an open file; `None` when the file does not end in one.
pub(super) fn read_meta(file: &mut File, key: &ObjectKey) -> io::Result<Option<ObjectMeta>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.by_ref().take(TAIL).read_to_end(&mut tail)?;
    Ok(parse(&tail, length, key))
}

fn parse(tail: &[u8], length: u64, key: &ObjectKey) -> Option<ObjectMeta> {
    // The last mark is ours, whatever the bytes hold: a description contains no line feed but its first and its last.
    let start = tail.windows(MARK.len()).rposition(|window| window == MARK)?;
    let description = std::str::from_utf8(tail.get(start + MARK.len()..)?).ok()?.strip_suffix('\n')?;
    let (version, rest) = description.split_once(' ')?;
    let (at, content_type) = rest.split_once(' ')?;
    let size = length.checked_sub(u64::try_from(tail.len() - start).ok()?)?;
    Some(ObjectMeta::new(
        key.clone(),
        size,
        ObjectVersion(version.to_owned()),
        at.parse().ok()?,
        content_type.to_owned(),
    ))
}

/// Reads a whole object and checks that its bytes are those that were written.
pub(super) fn read_object(
    mut file: File,
    path: &Path,
    key: &ObjectKey,
    operation: Operation,
) -> PortResult<Object> {
    let meta = read_meta(&mut file, key).at(operation, path)?.ok_or_else(|| damaged(key, operation))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.size).unwrap_or(0));
    file.rewind().at(operation, path)?;
    file.take(meta.size).read_to_end(&mut bytes).at(operation, path)?;
    if version_of(&bytes, &meta.content_type) != meta.version {
        return Err(damaged(key, operation));
    }
    Ok(Object::new(meta, Bytes::from(bytes)))
}

/// The error for a file that is not what was written.
pub(super) fn damaged(key: &ObjectKey, operation: Operation) -> PortError {
    operation
        .error(ErrorKind::Internal)
        .with_detail(format!("the file of object {key} is damaged; restore it from a backup or delete it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_bytes(bytes: &[u8], content_type: &str) -> Vec<u8> {
        let version = version_of(bytes, content_type);
        [bytes, &describe(&version, Timestamp::UNIX_EPOCH, content_type)].concat()
    }

    fn tail(file: &[u8]) -> &[u8] {
        &file[file.len().saturating_sub(usize::try_from(TAIL).unwrap())..]
    }

    #[test]
    fn bytes_that_look_like_a_description_are_bytes() {
        let key = ObjectKey::parse("a").unwrap();
        let inner = file_bytes(b"x", "text/plain");
        let long_type = "t".repeat(255);
        for bytes in [&b""[..], b"\n", &inner, &inner[..inner.len() - 1], &[b'\n'; 4_096]] {
            for content_type in ["text/csv; charset=utf-8", &long_type] {
                let file = file_bytes(bytes, content_type);
                let meta = parse(tail(&file), file.len() as u64, &key).unwrap();
                assert_eq!((meta.size, meta.content_type.as_str()), (bytes.len() as u64, content_type));
                assert_eq!(meta.version, version_of(bytes, content_type));
            }
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_not_an_object() {
        let key = ObjectKey::parse("a").unwrap();
        let file = file_bytes(b"some bytes", "text/plain");
        for end in 0..file.len() {
            assert_eq!(parse(tail(&file[..end]), end as u64, &key), None, "cut at {end}");
        }
    }
}
