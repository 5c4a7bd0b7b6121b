//! A server that a run has to itself, so that it may be killed, stopped and started again.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::process;

use super::installation;
use super::{Server, mariadb, place, postgres};

/// How long the processes of a server may take to be gone after `kill -9`.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    MariaDb,
}

impl Engine {
    /// As `DATABASE_URL` begins.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mysql",
        }
    }
}

/// A server of the run's own; dropping it ends it and removes its data.
#[derive(Debug)]
pub(crate) struct OwnServer {
    engine: Engine,
    server: Server,
}

impl OwnServer {
    /// Starts one, installed first if need be. Each setting stands as its server takes it: `<name>=<value>` for
    /// PostgreSQL, `--<name>=<value>` for MariaDB, without spaces. Without any, what is committed is not durable.
    pub(crate) fn start(engine: Engine, settings: &[&str]) -> Outcome<Self> {
        let place = if settings.is_empty() { place::volatile() } else { place::durable() };
        Self::start_below(&place, engine, settings)
    }

    /// The same with its data in a folder below this one. PostgreSQL also takes options of `initdb`, as
    /// `--<name>=<value>`.
    pub(crate) fn start_below(place: &Path, engine: Engine, settings: &[&str]) -> Outcome<Self> {
        let server = match engine {
            Engine::Postgres => {
                installation::provide(&[&postgres::REQUIREMENT])?;
                let programs =
                    postgres::Programs::find().ok_or_else(|| postgres::REQUIREMENT.is_missing())?;
                programs.start_primary_with(place, settings)?
            }
            Engine::MariaDb => {
                installation::provide(&[&mariadb::REQUIREMENT])?;
                let programs = mariadb::Programs::find().ok_or_else(|| mariadb::REQUIREMENT.is_missing())?;
                programs.start_with(place, settings)?
            }
        };
        Ok(Self { engine, server })
    }

    /// Starts a streaming standby of this PostgreSQL, with settings.
    pub(crate) fn start_standby(&self, settings: &[&str]) -> Outcome<Self> {
        let programs = postgres::Programs::find().ok_or_else(|| postgres::REQUIREMENT.is_missing())?;
        let server = programs.start_standby_with(self.port()?, settings)?;
        Ok(Self { engine: Engine::Postgres, server })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Where it listens on this machine.
    pub(crate) fn port(&self) -> Outcome<u16> {
        Ok(self.server.kept.as_ref().ok_or_else(not_ours)?.port())
    }

    /// Its URL, for a user who may create databases.
    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// `kill -9` to all its processes, and waits until they are gone.
    pub(crate) fn kill(&self) -> Outcome<()> {
        let processes = self.stopped()?;
        signal("KILL", &processes)?;
        let start = Instant::now();
        while processes.iter().any(|process| runs(*process)) {
            if start.elapsed() > GONE_WITHIN {
                return Err(Failure::new(format!("{processes:?} did not end after `kill -9`")));
            }
            process::pause(Duration::from_millis(1));
        }
        Ok(())
    }

    /// What it wrote last into its log.
    pub(crate) fn end_of_log(&self) -> Outcome<String> {
        let kept = self.server.kept.as_ref().ok_or_else(not_ours)?;
        let log = std::fs::read(kept.folder().join("log"))?;
        let end = log.len().saturating_sub(4_000);
        Ok(String::from_utf8_lossy(log.get(end..).unwrap_or_default()).into_owned())
    }

    /// Whether it has not ended, by us or by itself.
    pub(crate) fn runs(&self) -> Outcome<bool> {
        Ok(runs(self.first()?))
    }

    /// `kill -STOP` to all its processes: they hold their connections and answer nothing.
    pub(crate) fn stop(&self) -> Outcome<()> {
        signal("STOP", &self.stopped()?)
    }

    /// `kill -CONT` to all its processes.
    pub(crate) fn go_on(&self) -> Outcome<()> {
        signal("CONT", &self.processes()?)
    }

    /// Starts it again after its end, on the same data and port; returns when it takes connections.
    pub(crate) fn start_again(&mut self) -> Outcome<()> {
        self.server.kept.as_mut().ok_or_else(not_ours)?.start_again()
    }

    fn first(&self) -> Outcome<u32> {
        self.server.kept.as_ref().and_then(super::Kept::process).ok_or_else(not_ours)
    }

    /// All its processes, the first one stopped: it would make more of them meanwhile, and one that is missed when the
    /// others are killed holds the shared memory, so that the server does not start again.
    fn stopped(&self) -> Outcome<Vec<u32>> {
        signal("STOP", &[self.first()?])?;
        self.processes()
    }

    /// The first process, and the children that it has now.
    fn processes(&self) -> Outcome<Vec<u32>> {
        let first = self.first()?;
        // It fails when there are none.
        let children = process::output_of(Command::new("pgrep").arg("-P").arg(first.to_string()));
        let children = children.unwrap_or_default();
        Ok([first].into_iter().chain(children.lines().filter_map(|line| line.parse().ok())).collect())
    }
}

/// One that has ended meanwhile is none of our business.
fn signal(name: &str, processes: &[u32]) -> Outcome<()> {
    let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).args(&processes);
    match process::output_of(&mut kill) {
        Err(failure) if processes.len() < 2 => Err(failure),
        _ => Ok(()),
    }
}

/// What has ended and still waits for its parent does not run.
fn runs(process: u32) -> bool {
    let state = process::output_of(Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]));
    state.is_ok_and(|state| !state.trim().is_empty() && !state.trim().starts_with('Z'))
}

fn not_ours() -> Failure {
    Failure::new("the server has no process of ours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_does_not_run_before_its_parent_has_noticed() {
        let mut child = Command::new("sleep").arg("600").spawn().expect("started");
        assert!(runs(child.id()));
        signal("KILL", &[child.id()]).expect("killed");
        let start = Instant::now();
        while runs(child.id()) {
            assert!(start.elapsed() < GONE_WITHIN, "it runs");
        }
        child.wait().expect("ended");
        assert!(signal("KILL", &[child.id()]).is_err());
    }
}
