//! Finding objects in the order of their keys.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use dolmen_ports::{ListRequest, ObjectKey};

use super::layout;

/// The first keys that a request asks for, at most `limit`, in byte order.
///
/// Walks every directory that may hold one: the order of names on the disk is not the order of keys (`a-` is before `a/b`,
/// and capital letters before small ones), so the smallest keys are known at the end only.
pub(super) fn first_keys(
    root: PathBuf,
    request: &ListRequest,
    after: Option<&ObjectKey>,
    limit: usize,
) -> io::Result<BTreeSet<ObjectKey>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(root, String::new())];
    while let Some((directory, start)) = open.pop() {
        for entry in entries(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // The type of the entry itself: symbolic links are neither, so none is followed.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let Some(part) = layout::directory_part(name) else { continue };
                let below = format!("{start}{part}");
                if may_hold(&below, request, after) {
                    open.push((entry.path(), below));
                }
            } else if kind.is_file() {
                let Some(part) = layout::file_part(name) else { continue };
                let key = format!("{start}{part}");
                let wanted =
                    key.starts_with(&request.prefix) && after.is_none_or(|after| *key > *after.as_str());
                if wanted && let Ok(key) = ObjectKey::parse(&key) {
                    found.insert(key);
                    if found.len() > limit {
                        found.pop_last();
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Whether a key that starts with `below` may be asked for.
fn may_hold(below: &str, request: &ListRequest, after: Option<&ObjectKey>) -> bool {
    let prefix = request.prefix.as_str();
    let in_prefix = below.starts_with(prefix) || prefix.starts_with(below);
    in_prefix && after.is_none_or(|after| below > after.as_str() || after.as_str().starts_with(below))
}

/// The entries of a directory; none when it was removed meanwhile.
fn entries(directory: &PathBuf) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}
