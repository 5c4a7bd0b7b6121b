//! The ticks that schedulers published: the rows that remember them, and the jobs that they became.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::{Failure, Outcome, While as _};

use super::site::Site;

const MICROS: i64 = 1_000_000;

/// Of one schedule, by the second since 1970.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    /// How many jobs each tick became.
    pub(super) jobs: BTreeMap<i64, usize>,
    /// The ticks that are recorded.
    pub(super) rows: BTreeSet<i64>,
}

impl Ticks {
    /// By schedule.
    pub(super) fn gather(site: &Site) -> Outcome<BTreeMap<String, Self>> {
        let mut ticks: BTreeMap<String, Self> = BTreeMap::new();
        for line in site.ask(&["payloads", "chaos.tick"])?.lines() {
            let payload: Value = serde_json::from_str(line).while_doing("read a job")?;
            let schedule = payload.get("schedule").and_then(Value::as_str);
            let at = payload.get("at").and_then(Value::as_i64);
            let (schedule, at) = schedule.zip(at).ok_or_else(|| Failure::new(format!("tick {line:?}")))?;
            *ticks.entry(schedule.to_owned()).or_default().jobs.entry(at).or_default() += 1;
        }
        for line in site.ask(&["ticks"])?.lines() {
            let (schedule, at) = line.split_once(' ').unwrap_or((line, ""));
            let at: i64 = at.parse().while_doing(format!("read the tick {line:?}"))?;
            let schedule = schedule.strip_prefix("chaos.").unwrap_or(schedule);
            // The moment at which a schedule was first seen is recorded too, and is hardly a whole second.
            if at % MICROS == 0 {
                ticks.entry(schedule.to_owned()).or_default().rows.insert(at / MICROS);
            }
        }
        Ok(ticks)
    }

    /// Ticks that became more than one job.
    pub(super) fn doubled(&self) -> Vec<String> {
        self.jobs.iter().filter(|(_, jobs)| **jobs > 1).map(|(tick, _)| tick.to_string()).collect()
    }

    /// Ticks that are recorded and became no job, and the other way round.
    pub(super) fn torn(&self) -> Vec<String> {
        let jobs: BTreeSet<i64> = self.jobs.keys().copied().collect();
        self.rows.symmetric_difference(&jobs).map(ToString::to_string).collect()
    }

    /// The seconds between the first tick and the last that nobody published.
    pub(super) fn missing(&self) -> Vec<i64> {
        let ends = self.jobs.keys().next().zip(self.jobs.keys().next_back());
        let (first, last) = ends.map_or((0, -1), |(first, last)| (*first, *last));
        (first..=last).filter(|tick| !self.jobs.contains_key(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_one_row_and_one_job() {
        let ticks = Ticks { jobs: [(10, 1), (12, 2), (13, 1)].into(), rows: [10, 11, 12].into() };
        assert_eq!(ticks.doubled(), ["12"]);
        assert_eq!(ticks.torn(), ["11", "13"]);
        assert_eq!(ticks.missing(), [11]);
        assert!(Ticks::default().missing().is_empty());
    }
}
