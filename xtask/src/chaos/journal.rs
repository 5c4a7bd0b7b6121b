//! The journal of the programs under test: what they began and ended, outside of their database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::ops::Bound;
use std::path::Path;

use crate::failure::{Failure, Outcome, While as _};

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// It has begun and not ended.
    Open,
    /// It ended, well or not.
    Closed,
}

/// The beginning of an attempt.
#[derive(Debug, Clone)]
pub(super) struct Begin {
    pub(super) job: String,
    pub(super) process: u32,
    /// In milliseconds since 1970.
    pub(super) at: u64,
    /// Which attempt it was, from 1.
    pub(super) attempt: u32,
}

/// One more of something that the worker counts.
#[derive(Debug, Clone)]
pub(super) struct Count {
    pub(super) counter: String,
    pub(super) label: String,
    pub(super) process: u32,
    /// In milliseconds since 1970.
    pub(super) at: u64,
}

/// What the journal says so far.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Jobs whose enqueueing was committed.
    pub(super) enqueued: BTreeSet<String>,
    /// Jobs of which some attempt ended well.
    pub(super) ended: BTreeSet<String>,
    /// The jobs that are enqueued and have not ended well: kept as one reads, since it is asked for again and again.
    left: BTreeSet<String>,
    /// How many attempts were refused because they had lost their lease.
    pub(super) refused: usize,
    /// How many attempts failed for another reason, and so were followed by one more.
    pub(super) failed: usize,
    /// When each attempt began.
    pub(super) begins: Vec<Begin>,
    /// What counters of the worker counted.
    pub(super) counts: Vec<Count>,
    /// When each job was enqueued, in milliseconds since 1970.
    pub(super) enqueued_at: BTreeMap<String, u64>,
    attempts: BTreeMap<(u32, String), Attempt>,
}

impl Story {
    fn tell(&mut self, line: &str) -> Outcome<()> {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or_else(|| Failure::new(format!("the journal says {line:?}")));
        let (event, job, process, millis) = (word()?, word()?.to_owned(), word()?, word()?);
        let process: u32 = process.parse().while_doing(format!("read the process in {line:?}"))?;
        let at = millis.parse().while_doing(format!("read the time in {line:?}"))?;
        match event {
            "enqueued" => {
                self.enqueued_at.insert(job.clone(), at);
                // A worker may be quicker than who enqueues.
                if !self.ended.contains(&job) {
                    self.left.insert(job.clone());
                }
                self.enqueued.insert(job);
                return Ok(());
            }
            counter if counter.starts_with("dolmen_") => {
                self.counts.push(Count { counter: counter.to_owned(), label: job, process, at });
                return Ok(());
            }
            "begin" => {
                let attempt = word()?.parse().while_doing(format!("read the attempt in {line:?}"))?;
                self.begins.push(Begin { job: job.clone(), process, at, attempt });
                self.attempts.insert((process, job), Attempt::Open);
                return Ok(());
            }
            "end" => {
                self.left.remove(&job);
                self.ended.insert(job.clone());
            }
            "refused" => self.refused += 1,
            "failed" => self.failed += 1,
            _ => {}
        }
        self.attempts.insert((process, job), Attempt::Closed);
        Ok(())
    }

    /// How many jobs have not ended well so far. A process that is killed between its commit and its line leaves one that never will.
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    /// How many of those that were enqueued after this one: ids ascend.
    pub(super) fn left_after(&self, last: &str) -> usize {
        self.left.range::<str, _>((Bound::Excluded(last), Bound::Unbounded)).count()
    }

    /// How often a counter counted.
    pub(super) fn count(&self, counter: &str) -> usize {
        self.counts.iter().filter(|count| count.counter == counter).count()
    }

    /// The jobs that a process has begun and not ended.
    pub(super) fn open_in(&self, process: u32) -> Vec<String> {
        let of_process = (process, String::new())..(process.saturating_add(1), String::new());
        let attempts = self.attempts.range(of_process);
        attempts.filter(|(_, state)| **state == Attempt::Open).map(|((_, job), _)| job.clone()).collect()
    }

    /// Whether another process than this one has begun the job after so many begins.
    pub(super) fn is_taken_over(&self, job: &str, from: u32, after: usize) -> bool {
        self.begins.iter().skip(after).any(|begin| begin.job == job && begin.process != from)
    }
}

/// Reads the journal while others write it.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    rest: Vec<u8>,
    story: Story,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let file = File::open(path).while_doing(format!("open {}", path.display()))?;
        Ok(Self { file, rest: Vec::new(), story: Story::default() })
    }

    /// What it says by now.
    pub(super) fn read(&mut self) -> Outcome<&Story> {
        self.file.read_to_end(&mut self.rest)?;
        // A line may be half-written when we look.
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            self.story.tell(line)?;
        }
        Ok(&self.story)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_open_until_it_ends_in_the_same_process() {
        let mut story = Story::default();
        for line in [
            "enqueued a 1 0",
            "begin a 7 10 1",
            "begin b 7 11 1",
            "dolmen_jobs_lease_lost kind 7 11",
            "begin a 8 12 2",
            "end a 8 13 2",
            "refused b 7 14 1",
        ] {
            story.tell(line).expect("sound");
        }
        assert_eq!(story.open_in(7), ["a"]);
        assert!(story.open_in(8).is_empty());
        assert!(story.is_taken_over("a", 7, 1) && !story.is_taken_over("a", 7, 3));
        assert_eq!((story.ended.len(), story.refused, story.count("dolmen_jobs_lease_lost")), (1, 1, 1));
        assert!(story.tell("begin x").is_err());
    }

    #[test]
    fn a_job_is_left_from_when_it_was_enqueued_until_it_ended_well_in_whatever_order_that_was_written() {
        let mut story = Story::default();
        let left = |story: &mut Story, line: &str| {
            story.tell(line).expect("sound");
            story.left()
        };
        let lines = ["enqueued a 1 0", "failed a 7 10 1", "end b 7 11 1", "enqueued b 1 12", "end a 7 13 1"];
        assert_eq!(lines.map(|line| left(&mut story, line)), [1, 1, 1, 1, 0]);
        for line in ["enqueued c 1 14", "enqueued d 1 15"] {
            story.tell(line).expect("sound");
        }
        assert_eq!(["", "c", "d"].map(|last| story.left_after(last)), [2, 1, 0]);
    }
}
