//! Who kept the processor busy meanwhile.

use std::fmt;
use std::time::Duration;

use crate::machine::{Cpu, DatabaseServer, cores};
use crate::process::Process;

/// Up to now; nothing of those of whom the machine tells nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    database: Option<Cpu>,
    web: Option<Cpu>,
    worker: Option<Cpu>,
    generator: Option<Cpu>,
}

impl Usage {
    pub(super) fn now(server: DatabaseServer, web: &Process, worker: &Process) -> Self {
        let generator = Cpu::of(std::process::id());
        Self { database: server.cpu(), web: web.cpu(), worker: worker.cpu(), generator }
    }
}

/// Cores of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares([(&'static str, Option<f64>); 4]);

impl Shares {
    pub(super) fn between(before: Usage, after: Usage, time: Duration) -> Self {
        let cores = |before: Option<Cpu>, after: Option<Cpu>| Some((after? - before?).cores(time));
        Self([
            ("the database", cores(before.database, after.database)),
            ("the web", cores(before.web, after.web)),
            ("the worker", cores(before.worker, after.worker)),
            ("the load generator", cores(before.generator, after.generator)),
        ])
    }

    /// What limits a rate that does not hold.
    pub(super) fn limit(&self) -> String {
        let busy: f64 = self.0.iter().filter_map(|(_, cores)| *cores).sum();
        let most = self.0.iter().max_by(|one, other| one.1.unwrap_or(0.0).total_cmp(&other.1.unwrap_or(0.0)));
        let name = most.map_or("nobody", |(name, _)| name);
        let all = cores() as f64;
        if busy > all * 0.9 {
            format!("the processor limits: {busy:.2} of {all} cores are busy, most with {name}")
        } else {
            format!("not the processor limits: {busy:.2} of {all} cores are busy, most with {name}")
        }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cores busy with")?;
        for (index, (name, cores)) in self.0.iter().enumerate() {
            let mark = if index == 0 { "" } else { "," };
            match cores {
                Some(cores) => write!(f, "{mark} {name} {cores:.2}")?,
                None => write!(f, "{mark} {name} (not known)")?,
            }
        }
        Ok(())
    }
}
