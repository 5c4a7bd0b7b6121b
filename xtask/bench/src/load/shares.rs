//! Who kept the processor busy meanwhile.

use std::fmt;
use std::time::Duration;

use crate::machine::{Cpu, DatabaseServer, Spent, Whole};
use crate::process::Process;

/// Up to now; nothing of those of whom the machine tells nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    database: Option<Cpu>,
    web: Option<Cpu>,
    worker: Option<Cpu>,
    generator: Option<Cpu>,
    whole: Option<Whole>,
}

impl Usage {
    pub(super) fn now(server: DatabaseServer, web: &Process, worker: &Process) -> Self {
        let generator = Cpu::of(std::process::id());
        Self { database: server.cpu(), web: web.cpu(), worker: worker.cpu(), generator, whole: Whole::now() }
    }
}

/// Cores of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    cores: [(&'static str, Option<f64>); 4],
    whole: Option<Spent>,
}

impl Shares {
    pub(super) fn between(before: Usage, after: Usage, time: Duration) -> Self {
        let cores = |before: Option<Cpu>, after: Option<Cpu>| Some((after? - before?).cores(time));
        Self {
            cores: [
                ("the database", cores(before.database, after.database)),
                ("the web", cores(before.web, after.web)),
                ("the worker", cores(before.worker, after.worker)),
                ("the load generator", cores(before.generator, after.generator)),
            ],
            whole: after.whole.zip(before.whole).map(|(after, before)| after.since(before)),
        }
    }

    /// What limits a rate that does not hold, as far as the machine can tell.
    pub(super) fn limit(&self) -> String {
        let most =
            self.cores.iter().max_by(|one, other| one.1.unwrap_or(0.0).total_cmp(&other.1.unwrap_or(0.0)));
        let name = most.map_or("nobody", |(name, _)| name);
        match self.whole {
            None => "what limits it is not known".to_owned(),
            Some(spent) if spent.busy + spent.stolen > 0.9 => {
                format!("the processor limits, which {name} uses most")
            }
            Some(spent) if spent.busy + spent.stolen + spent.waiting > 0.9 => {
                format!("the disk and the processor limit, which {name} uses most")
            }
            Some(_) => {
                "neither processor nor disk limits: what waits, waits for locks or for each other".to_owned()
            }
        }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cores busy with")?;
        for (index, (name, cores)) in self.cores.iter().enumerate() {
            let mark = if index == 0 { "" } else { "," };
            match cores {
                Some(cores) => write!(f, "{mark} {name} {cores:.2}")?,
                None => write!(f, "{mark} {name} (not known)")?,
            }
        }
        match self.whole {
            Some(spent) => write!(f, "; {spent}"),
            None => Ok(()),
        }
    }
}
