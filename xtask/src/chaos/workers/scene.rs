//! The stage of F1: a database full of jobs, workers on it, and the journal.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::chaos::journal::Journal;
use crate::chaos::patience::until_or_not;
use crate::chaos::programs::Programs;
use crate::chaos::victim::Victim;
use crate::database::Server;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::{LEASE, WORKERS};

const PROGRESS_WITHIN: Duration = Duration::from_secs(4);

/// A kill and what it hit.
#[derive(Debug)]
pub(super) struct Kill {
    /// The jobs that the process had begun and not ended.
    pub(super) jobs: Vec<String>,
    /// When, in milliseconds since 1970.
    pub(super) at: u64,
}

/// How many jobs are left.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) waiting: u64,
    pub(super) dead: u64,
}

pub(super) struct Scene {
    program: PathBuf,
    server: Server,
    database: String,
    pub(super) url: String,
    sabotage: Option<String>,
    folder: TempDir,
    pub(super) journal: Journal,
    workers: Vec<Victim>,
    pub(super) kills: Vec<Kill>,
    /// How many jobs were enqueued.
    pub(super) enqueued: usize,
    pub(super) zombies: usize,
    /// When a process stood still, in milliseconds since 1970.
    pub(super) stops: Vec<(u64, u64)>,
    pub(super) retried: u64,
    pub(super) seed: u64,
    pub(super) started: Instant,
}

impl Scene {
    /// Makes a database and starts the workers.
    pub(super) fn set(
        programs: &Programs,
        server: &Server,
        sabotage: Option<&str>,
        seed: u64,
    ) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
        let database = format!("dolmen_chaos_{}_{seed}", std::process::id());
        let url = server.new_database(folder.path(), &database)?;
        let path = folder.path().join("journal");
        std::fs::write(&path, "")?;
        let mut scene = Self {
            program: programs.chaos.clone(),
            server: server.clone(),
            database,
            url,
            sabotage: sabotage.map(str::to_owned),
            journal: Journal::open(&path)?,
            folder,
            workers: Vec::new(),
            kills: Vec::new(),
            enqueued: 0,
            zombies: 0,
            stops: Vec::new(),
            retried: 0,
            seed,
            started: Instant::now(),
        };
        scene.ask(&["migrate"])?;
        for _ in 0..WORKERS {
            let worker = scene.start_worker()?;
            scene.workers.push(worker);
        }
        Ok(scene)
    }

    fn start_worker(&self) -> Outcome<Victim> {
        let mut command = Command::new(&self.program);
        command.arg(&self.url).arg("work").arg(self.folder.path().join("journal"));
        command.arg("--lease-ms").arg(LEASE.as_millis().to_string());
        if let Some(sabotage) = &self.sabotage {
            command.args(["--sabotage", sabotage]);
        }
        Victim::start(command, &self.folder.path().join("workers.log"))
    }

    /// Runs the program to its end; what it printed.
    pub(super) fn ask(&self, arguments: &[&str]) -> Outcome<String> {
        process::output_of(Command::new(&self.program).arg(&self.url).args(arguments))
    }

    pub(super) fn worker(&mut self, index: usize) -> Outcome<&mut Victim> {
        self.workers.get_mut(index).ok_or_else(|| Failure::new(format!("there is no worker {index}")))
    }

    /// Fails when a worker ended by itself: only we end workers.
    pub(super) fn workers_run(&mut self) -> Outcome<()> {
        self.workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| {
            Failure::new(format!("{failure}; see {}", self.folder.path().join("workers.log").display()))
        })
    }

    /// Adds jobs to the queue.
    pub(super) fn enqueue(&mut self, jobs: usize) -> Outcome<()> {
        self.enqueued += jobs;
        let journal = self.folder.path().join("journal");
        self.ask(&["enqueue", &journal.to_string_lossy(), &jobs.to_string()]).map(drop)
    }

    /// Waits a while until at most so many jobs have not ended; dead letters do not end.
    pub(super) fn until_left(&mut self, count: usize) -> Outcome<()> {
        until_or_not(PROGRESS_WITHIN, || {
            self.workers_run()?;
            Ok((self.journal.read()?.left() <= count).then_some(()))
        })
        .map(drop)
    }

    /// Waits a while until a worker is in the middle of a job.
    pub(super) fn until_mid_job(&mut self, index: usize) -> Outcome<()> {
        let process = self.worker(index)?.id();
        until_or_not(PROGRESS_WITHIN, || {
            self.workers_run()?;
            let story = self.journal.read()?;
            Ok((!story.open_in(process).is_empty() || story.left() == 0).then_some(()))
        })
        .map(drop)
    }

    /// Kills a worker, notes what it was doing, and starts another in its place.
    pub(super) fn kill(&mut self, index: usize) -> Outcome<()> {
        let process = self.worker(index)?.id();
        self.worker(index)?.kill()?;
        let at = milliseconds_since_1970()?;
        let jobs = self.journal.read()?.open_in(process);
        self.kills.push(Kill { jobs, at });
        let successor = self.start_worker()?;
        *self.worker(index)? = successor;
        Ok(())
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

    /// Gives dead jobs their attempts back.
    pub(super) fn retry_dead(&mut self) -> Outcome<()> {
        let said = self.ask(&["retry"])?;
        self.retried += said.trim().parse::<u64>().while_doing(format!("read {said:?}"))?;
        Ok(())
    }

    /// SIGTERM to all; each ends well.
    pub(super) fn end_workers(&mut self) -> Outcome<()> {
        for worker in &mut self.workers {
            let status = worker.end()?;
            if !status.success() {
                return Err(Failure::new(format!("SIGTERM should end a worker with exit 0: {status}")));
            }
        }
        self.workers.clear();
        Ok(())
    }

    /// Removes everything, or keeps it for somebody to look at.
    pub(super) fn clear(self, remove: bool) -> Outcome<()> {
        drop(self.workers);
        if remove {
            return self.server.drop_database(&self.database);
        }
        println!("F1:   journal, log and database are kept: {}, {}", self.folder.keep().display(), self.url);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the journal, whose writers read the same clock")]
pub(super) fn milliseconds_since_1970() -> Outcome<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).while_doing("read the clock")?;
    u64::try_from(since.as_millis()).while_doing("read the clock")
}
