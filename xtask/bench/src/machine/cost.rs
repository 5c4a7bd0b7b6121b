//! What a process has cost so far. Where there is no `/proc` nothing is known, and nothing is shown.

use std::fs;
use std::iter::Sum;
use std::ops::Sub;
use std::time::Duration;

/// What the kernel counts in, whatever the machine.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu(pub(crate) Duration);

impl Cpu {
    /// Of a process, without its children.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let fields = fields(process)?;
        Some(Self(ticks(&fields, 11)? + ticks(&fields, 12)?))
    }

    /// Of a process and of its children, those that have ended as well.
    pub(super) fn of_family(process: u32) -> Option<Self> {
        let first = fields(process)?;
        let mut sum = [11, 12, 13, 14].into_iter().map(|at| ticks(&first, at)).sum::<Option<Duration>>()?;
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // One that ended meanwhile is among those that have ended the next time.
            let Some(fields) = fields(id).filter(|_| parent(id) == Some(process)) else { continue };
            sum += ticks(&fields, 11).unwrap_or_default() + ticks(&fields, 12).unwrap_or_default();
        }
        Some(Self(sum))
    }

    /// How many cores it kept busy in that time.
    pub(crate) fn cores(self, time: Duration) -> f64 {
        self.0.as_secs_f64() / time.as_secs_f64()
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self(self.0.saturating_sub(before.0))
    }
}

impl Sum for Cpu {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.map(|one| one.0).sum())
    }
}

/// How many cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The memory of a process that is in the machine's, in MiB.
pub(crate) fn memory_mib(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1_024.0)
}

pub(super) fn parent(process: u32) -> Option<u32> {
    fields(process)?.get(1)?.parse().ok()
}

/// The fields of its `stat` from the state on, which follows its name.
fn fields(process: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn ticks(fields: &[String], at: usize) -> Option<Duration> {
    let ticks: f64 = fields.get(at)?.parse().ok()?;
    Some(Duration::from_secs_f64(ticks / TICKS_A_SECOND))
}
