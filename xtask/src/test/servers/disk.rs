//! A disk that is easily full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::apt::is_root;
use crate::failure::{Failure, Outcome, While as _};

use super::keeper::Kept;

/// What is left when the disk is "full": enough for a few bytes, so that whoever writes carelessly can begin.
const LEFT: u64 = 8 * 1024;
const BLOCK: [u8; 4096] = [0; 4096];

/// A file system of the run's own in memory; dropping it removes it, with everything on it.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    /// Whose end removes the disk.
    _kept: Kept,
    path: PathBuf,
    filler: File,
}

impl SmallDisk {
    /// Mounts one of that size, such as `64m`; only root may, and in some containers nobody.
    pub(crate) fn mount(size: &str) -> Outcome<Self> {
        if !is_root()? {
            return Err(Failure::new("only root may mount a disk in memory"));
        }
        let kept = Kept::start("Disk", include_str!("disk.sh"), |command, _| {
            command.arg(size);
        })?;
        let path = kept.folder().join("disk");
        let filler = OpenOptions::new().create(true).append(true).open(path.join("filler"));
        Ok(Self { _kept: kept, path, filler: filler.while_doing("make a file on the small disk")? })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what room there is, but for a little.
    pub(crate) fn fill(&self) -> Outcome<()> {
        loop {
            match (&self.filler).write_all(&BLOCK) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
        let length = self.filler.metadata()?.len();
        Ok(self.filler.set_len(length.saturating_sub(LEFT))?)
    }

    /// Gives the room back.
    pub(crate) fn free(&self) -> Outcome<()> {
        Ok(self.filler.set_len(0)?)
    }
}
