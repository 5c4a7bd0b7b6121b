//! The effects of jobs, held against what the journal promised: each job has exactly one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::failure::{Failure, Outcome};

use super::site::Site;
use super::verdict::{Verdict, some};

/// What there is.
#[derive(Debug)]
pub(super) struct Effects {
    pub(super) enqueued: usize,
    found: usize,
    /// Jobs without an effect.
    lost: Vec<String>,
    /// Jobs with more than one.
    doubled: Vec<String>,
    /// Effects of jobs that nobody enqueued.
    strange: usize,
}

impl Effects {
    /// Of all jobs that were enqueued.
    pub(super) fn gather(site: &mut Site) -> Outcome<Self> {
        Self::without(site, &BTreeSet::new())
    }

    /// The same, but for jobs that never end well.
    pub(super) fn without(site: &mut Site, excepted: &BTreeSet<String>) -> Outcome<Self> {
        let printed = site.ask(&["effects"])?;
        let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
        for line in printed.lines() {
            let (job, _) = line.split_once(' ').ok_or_else(|| Failure::new(format!("effect {line:?}")))?;
            *effects.entry(job).or_default() += 1;
        }
        let enqueued: BTreeSet<&String> = site.journal.read()?.enqueued.difference(excepted).collect();
        let of_count = |wanted: fn(usize) -> bool| {
            let count = |job: &&&String| wanted(effects.get(job.as_str()).copied().unwrap_or(0));
            enqueued.iter().filter(count).map(|job| (*job).clone()).collect()
        };
        Ok(Self {
            enqueued: enqueued.len(),
            found: effects.values().sum(),
            lost: of_count(|count| count == 0),
            doubled: of_count(|count| count > 1),
            strange: effects.keys().filter(|job| !enqueued.contains(&(**job).to_owned())).count(),
        })
    }

    pub(super) fn judge(&self, verdict: &mut Verdict) {
        verdict.promise(self.lost.is_empty(), || format!("no effect: {}", some(&self.lost)));
        verdict.promise(self.doubled.is_empty(), || format!("more than one effect: {}", some(&self.doubled)));
        verdict.promise(self.strange == 0, || format!("{} effects of unknown jobs", self.strange));
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} jobs, {} effects, {} lost, {} doubled",
            self.enqueued,
            self.found,
            self.lost.len(),
            self.doubled.len()
        )
    }
}
