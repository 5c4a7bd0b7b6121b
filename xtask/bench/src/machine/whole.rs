//! What all cores did together, whoever had them.

use std::fmt;
use std::fs;

/// Ticks up to now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    idle: f64,
    waiting: f64,
    stolen: f64,
    all: f64,
}

/// Parts of the time between two instants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// With work of any process of this machine.
    pub(crate) busy: f64,
    /// With nothing to do, but for the disk to answer.
    pub(crate) waiting: f64,
    /// With work of other machines on the same hardware.
    pub(crate) stolen: f64,
}

impl Whole {
    pub(crate) fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let fields: Vec<f64> =
            stat.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let at = |index: usize| fields.get(index).copied();
        // What guests take is in the time of users already.
        Some(Self { idle: at(3)?, waiting: at(4)?, stolen: at(7)?, all: fields.iter().take(8).sum() })
    }

    pub(crate) fn since(self, before: Self) -> Spent {
        let all = (self.all - before.all).max(1.0);
        let waiting = (self.waiting - before.waiting) / all;
        let stolen = (self.stolen - before.stolen) / all;
        Spent { busy: 1.0 - (self.idle - before.idle) / all - waiting - stolen, waiting, stolen }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [busy, waiting, stolen] = [self.busy, self.waiting, self.stolen].map(|part| part * 100.0);
        write!(
            f,
            "all cores: {busy:.0} % busy, {waiting:.0} % waiting for the disk, {stolen:.0} % taken away"
        )
    }
}
