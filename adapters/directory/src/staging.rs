//! Files that appear whole or not at all: written aside, synced, then renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dolmen_ports::{IdGenerator, PortResult, UuidV7Ids};

use crate::failure::{AtPath, Operation};

/// A directory for unfinished files, on the same file system as the finished ones.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    names: UuidV7Ids,
}

impl Staging {
    /// Makes the directory and removes what processes that were killed left in it.
    pub(crate) fn open(operation: Operation, directory: PathBuf) -> PortResult<Self> {
        fs::create_dir_all(&directory).at(operation, &directory)?;
        remove_orphans(&directory).at(operation, &directory)?;
        Ok(Self { directory, names: UuidV7Ids::new() })
    }

    /// Writes an unfinished file and makes its bytes durable.
    pub(crate) fn write(&self, operation: Operation, parts: &[&[u8]]) -> PortResult<StagedFile> {
        loop {
            let path = self.directory.join(self.names.next().to_string());
            let file = OpenOptions::new().write(true).create_new(true).open(&path).at(operation, &path)?;
            let mut staged = StagedFile { path, file, published: false };
            // The lock tells `remove_orphans` that somebody is at work. Where that was quicker, the name is gone.
            staged.file.lock_shared().at(operation, &staged.path)?;
            if fs::symlink_metadata(&staged.path).is_ok() {
                staged.fill(parts).at(operation, &staged.path)?;
                return Ok(staged);
            }
        }
    }
}

/// An unfinished file: it is removed when it is dropped, unless it was published.
#[derive(Debug)]
pub(crate) struct StagedFile {
    path: PathBuf,
    file: File,
    published: bool,
}

impl StagedFile {
    fn fill(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        for part in parts {
            self.file.write_all(part)?;
        }
        self.file.sync_all()
    }

    /// Gives the file its name, replacing what has it, and makes the name durable.
    pub(crate) fn publish(mut self, operation: Operation, target: &Path) -> PortResult<()> {
        fs::rename(&self.path, target).at(operation, target)?;
        self.published = true;
        sync_parent(target).at(operation, target)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.published {
            // When this fails too, the next start removes the file.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove_orphans(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match remove_orphan(&path) {
            // Published, or removed by somebody else who opened the directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn remove_orphan(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => fs::remove_file(path),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Waits until no other thread or process holds this lock file; the lock ends with the returned file.
pub(crate) fn lock(operation: Operation, path: &Path) -> PortResult<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).at(operation, path)?;
    file.lock().at(operation, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Operation = Operation::objects("put");

    #[test]
    fn a_file_that_is_not_published_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(WRITE, directory.path().join("tmp")).unwrap();
        drop(staging.write(WRITE, &[b"half"]).unwrap());
        assert_eq!(fs::read_dir(directory.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn opening_removes_the_files_of_the_dead_and_keeps_those_of_the_living() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(WRITE, directory.path().to_owned()).unwrap();
        fs::write(directory.path().join("left-by-a-killed-process"), b"half").unwrap();
        let living = staging.write(WRITE, &[b"whole"]).unwrap();
        Staging::open(WRITE, directory.path().to_owned()).unwrap();
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names, std::slice::from_ref(&living.path));
    }
}
