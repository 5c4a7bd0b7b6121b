//! A program that overwrites a few objects again and again, and what it acknowledged.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::chaos::programs::Programs;
use crate::chaos::victim::Victim;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::test::servers::SmallDisk;

pub(super) struct Objects {
    program: PathBuf,
    place: PathBuf,
    /// On another disk, which is not full.
    folder: TempDir,
    process: Option<Victim>,
    found: Found,
}

/// What was found in the objects, each time that somebody looked.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// How many versions were acknowledged.
    pub(super) stored: usize,
    /// How many found no room.
    pub(super) full: usize,
    /// How many failed otherwise.
    pub(super) failed: usize,
    /// Objects that were read.
    pub(super) read: usize,
    /// Objects that lack something.
    pub(super) torn: Vec<String>,
    /// Objects that are older than what was acknowledged, or gone.
    pub(super) lost: Vec<String>,
}

/// What the journal says.
#[derive(Debug, Default)]
struct Story {
    /// The newest version of each key that was acknowledged.
    acknowledged: BTreeMap<String, u32>,
    stored: usize,
    full: usize,
    failed: usize,
}

impl Objects {
    /// Begins to store objects on a disk.
    pub(super) fn store(programs: &Programs, disk: &SmallDisk, keep_what_fits: bool) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
        let place = disk.path().join("chaos-objects");
        let mut command = Command::new(&programs.objects);
        command.arg(&place).arg("put").arg(folder.path().join("journal"));
        if keep_what_fits {
            command.arg("--keep-what-fits");
        }
        let process = Victim::start(command, &folder.path().join("objects.log"))?;
        let found = Found::default();
        Ok(Self { program: programs.objects.clone(), place, folder, process: Some(process), found })
    }

    /// How many objects found no room so far.
    pub(super) fn full(&mut self) -> Outcome<usize> {
        self.process.as_mut().map_or(Ok(()), Victim::must_run)?;
        Ok(self.story()?.full)
    }

    /// Holds what is there against what was acknowledged before.
    pub(super) fn look(&mut self) -> Outcome<()> {
        let story = self.story()?;
        let said = process::output_of(Command::new(&self.program).arg(&self.place).arg("check"))?;
        self.found.look(&story, &said)
    }

    /// Ends the program and looks once more.
    pub(super) fn end(&mut self) -> Outcome<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        self.look()
    }

    pub(super) fn found(&self) -> Found {
        self.found.clone()
    }

    fn story(&self) -> Outcome<Story> {
        let path = self.folder.path().join("journal");
        // The program makes it.
        Story::read(&std::fs::read_to_string(path).unwrap_or_default())
    }
}

impl Story {
    fn read(journal: &str) -> Outcome<Self> {
        let mut story = Self::default();
        for line in journal.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let mut words = line.split_whitespace();
            let (event, key, version) = (words.next(), words.next(), words.next());
            match (event, key, version) {
                (Some("stored"), Some(key), Some(version)) => {
                    let version = version.parse().while_doing(format!("read {line:?}"))?;
                    story.acknowledged.insert(key.to_owned(), version);
                    story.stored += 1;
                }
                (Some("full"), ..) => story.full += 1,
                (Some("failed"), ..) => story.failed += 1,
                _ => return Err(Failure::new(format!("the journal of the objects says {line:?}"))),
            }
        }
        Ok(story)
    }
}

impl Found {
    /// Reads lines such as `whole 3 35` and `torn 4`. A version that is newer than the acknowledged one was written
    /// meanwhile.
    fn look(&mut self, story: &Story, said: &str) -> Outcome<()> {
        (self.stored, self.full, self.failed) = (story.stored, story.full, story.failed);
        let mut there = BTreeMap::new();
        for line in said.lines() {
            let mut words = line.split_whitespace();
            self.read += 1;
            match (words.next(), words.next(), words.next()) {
                (Some("whole"), Some(key), Some(version)) => {
                    let version: u32 = version.parse().while_doing(format!("read {line:?}"))?;
                    there.insert(key.to_owned(), version);
                }
                (Some("torn"), Some(key), None) => self.torn.push(format!("chaos/{key}")),
                _ => return Err(Failure::new(format!("the check of the objects says {line:?}"))),
            }
        }
        for (key, version) in &story.acknowledged {
            if there.get(key).is_none_or(|there| there < version) && !said.contains(&format!("torn {key}\n"))
            {
                self.lost.push(format!("chaos/{key}: version {version}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_must_be_there_or_newer() {
        let story = Story::read("stored 1 1\nstored 2 2\nfull 3 3\nstored 1 33\nfailed 2 34\nstored 9")
            .expect("read");
        assert_eq!((story.stored, story.full, story.failed), (3, 1, 1));
        let look = |said: &str| {
            let mut found = Found::default();
            found.look(&story, said).expect("read");
            (found.torn.len(), found.lost.len())
        };
        assert_eq!(look("whole 1 33\nwhole 2 34\n"), (0, 0));
        assert_eq!(look("whole 1 1\nwhole 2 2\n"), (0, 1));
        assert_eq!(look("whole 1 33\n"), (0, 1));
        assert_eq!(look("whole 1 33\ntorn 2\n"), (1, 0));
    }
}
