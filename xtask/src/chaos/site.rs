//! Where faults of workers and schedulers are played: a database, the program on it, a journal and a log.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::database::{self, Server};
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::journal::Journal;
use super::programs::Programs;
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// How many jobs are left.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) waiting: u64,
    pub(super) dead: u64,
}

pub(super) struct Site {
    fault: &'static str,
    program: PathBuf,
    server: Server,
    database: String,
    pub(super) url: String,
    sabotage: Option<String>,
    pub(super) folder: TempDir,
    pub(super) journal: Journal,
    pub(super) seed: u64,
    pub(super) started: Instant,
}

impl Site {
    /// Makes a database with the schema of the program.
    pub(super) fn set(
        fault: &'static str,
        programs: &Programs,
        server: &Server,
        sabotage: Option<&str>,
        seed: u64,
    ) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
        // One that was kept has its name for itself.
        let run = format!("{fault}_{}", sabotage.unwrap_or("whole")).to_lowercase().replace('-', "_");
        let database = format!("dolmen_chaos_{run}_{}_{seed}", std::process::id());
        let url = server.new_database(folder.path(), &database)?;
        let path = folder.path().join("journal");
        std::fs::write(&path, "")?;
        let site = Self {
            fault,
            program: programs.chaos.clone(),
            server: server.clone(),
            database,
            url,
            sabotage: sabotage.map(str::to_owned),
            journal: Journal::open(&path)?,
            folder,
            seed,
            started: Instant::now(),
        };
        site.ask(&["migrate"])?;
        Ok(site)
    }

    /// Starts a process that works, with these options.
    pub(super) fn start(&self, options: &[&str]) -> Outcome<Victim> {
        let mut command = Command::new(&self.program);
        command.arg(&self.url).arg("work").arg(self.journal_path()).args(options);
        if let Some(sabotage) = &self.sabotage {
            command.args(["--sabotage", sabotage]);
        }
        Victim::start(command, &self.log())
    }

    /// Starts any process of the program, with all its guards.
    pub(super) fn start_other(&self, arguments: &[&str]) -> Outcome<Victim> {
        let mut command = Command::new(&self.program);
        command.arg(&self.url).args(arguments);
        Victim::start(command, &self.log())
    }

    /// Reaches the server by another port, where something stands before it.
    pub(super) fn reach_by(&mut self, port: u16) -> Outcome<()> {
        self.url = database::at_port(&self.url, port)?;
        Ok(())
    }

    /// Runs the program to its end; what it printed.
    pub(super) fn ask(&self, arguments: &[&str]) -> Outcome<String> {
        process::output_of(Command::new(&self.program).arg(&self.url).args(arguments))
    }

    /// Adds tasks to the queue: how they take their time, how many, and further options.
    pub(super) fn enqueue(&self, manner: &str, count: usize, options: &[&str]) -> Outcome<()> {
        let (journal, count) = (self.journal_path(), count.to_string());
        let first = ["enqueue-tasks", &journal, manner, &count];
        self.ask(&[&first, options].concat()).map(drop)
    }

    /// The end of a failure that the log explains.
    pub(super) fn see_log(&self, failure: &Failure) -> Failure {
        Failure::new(format!("{failure}; see {}", self.log().display()))
    }

    pub(super) fn jobs(&self) -> Outcome<Jobs> {
        let mut jobs = Jobs::default();
        for line in self.ask(&["jobs"])?.lines() {
            let (state, count) = line.split_once(' ').unwrap_or((line, ""));
            let count: u64 = count.parse().while_doing(format!("read {line:?}"))?;
            *(if state == "dead" { &mut jobs.dead } else { &mut jobs.waiting }) += count;
        }
        Ok(jobs)
    }

    /// Reports what was played here. What went wrong, unless a guard was left out, is kept for somebody to look at.
    pub(super) fn end_with(self, played: Outcome<impl Figures>) -> Outcome<Verdict> {
        let (fault, on, seed) = (self.fault, self.server.name(), self.seed);
        match played {
            Ok(figures) => {
                let verdict = figures.report(fault, on, self.sabotage.as_deref());
                let remove = verdict.is_green() || self.sabotage.is_some();
                self.clear(remove)?;
                Ok(verdict)
            }
            Err(failure) => {
                self.clear(false)?;
                Err(Failure::new(format!("{fault} on {on}: {failure}; seed {seed}")))
            }
        }
    }

    pub(super) fn journal_path(&self) -> String {
        self.folder.path().join("journal").to_string_lossy().into_owned()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("workers.log")
    }

    /// Removes everything, or keeps it.
    fn clear(self, remove: bool) -> Outcome<()> {
        if remove {
            return self.server.drop_database(&self.database);
        }
        let (fault, url) = (self.fault, &self.url);
        println!("{fault}:   journal, log and database are kept: {}, {url}", self.folder.keep().display());
        Ok(())
    }
}

/// SIGTERM to all; each ends well.
pub(super) fn end_all(victims: &mut Vec<Victim>) -> Outcome<()> {
    for mut victim in victims.drain(..) {
        let status = victim.end()?;
        if !status.success() {
            return Err(Failure::new(format!("SIGTERM should end a worker with exit 0: {status}")));
        }
    }
    Ok(())
}

/// In an option.
pub(super) fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

#[expect(clippy::disallowed_methods, reason = "compared with the journal, whose writers read the same clock")]
pub(super) fn milliseconds_since_1970() -> Outcome<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).while_doing("read the clock")?;
    u64::try_from(since.as_millis()).while_doing("read the clock")
}
