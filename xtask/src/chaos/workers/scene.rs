//! The stage of F1: a database full of jobs, workers on it, and the journal.

use std::time::Duration;

use crate::chaos::patience::{pause, until, until_or_not};
use crate::chaos::programs::Programs;
use crate::chaos::site::{Site, end_all, millis, milliseconds_since_1970};
use crate::chaos::victim::Victim;
use crate::database::Server;
use crate::failure::{Failure, Outcome, While as _};

use super::{LEASE, WORKERS};

const PROGRESS_WITHIN: Duration = Duration::from_secs(4);
const DONE_WITHIN: Duration = Duration::from_mins(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A kill and what it hit.
#[derive(Debug)]
pub(super) struct Kill {
    /// The jobs that the process had begun and not ended.
    pub(super) jobs: Vec<String>,
    /// When, in milliseconds since 1970.
    pub(super) at: u64,
}

pub(super) struct Scene {
    pub(super) site: Site,
    workers: Vec<Victim>,
    pub(super) kills: Vec<Kill>,
    /// How many jobs were enqueued.
    pub(super) enqueued: usize,
    /// The last job that was there before the latest were enqueued.
    last_before: String,
    pub(super) zombies: usize,
    /// When a process stood still, in milliseconds since 1970.
    pub(super) stops: Vec<(u64, u64)>,
    pub(super) retried: u64,
}

impl Scene {
    /// Makes a database and starts the workers.
    pub(super) fn set(
        programs: &Programs,
        server: &Server,
        sabotage: Option<&str>,
        seed: u64,
    ) -> Outcome<Self> {
        let mut scene = Self {
            site: Site::set("F1", programs, server, sabotage, seed)?,
            workers: Vec::new(),
            kills: Vec::new(),
            enqueued: 0,
            last_before: String::new(),
            zombies: 0,
            stops: Vec::new(),
            retried: 0,
        };
        for _ in 0..WORKERS {
            let worker = scene.start_worker()?;
            scene.workers.push(worker);
        }
        Ok(scene)
    }

    fn start_worker(&self) -> Outcome<Victim> {
        self.site.start(&["--lease-ms", &millis(LEASE)])
    }

    pub(super) fn worker(&mut self, index: usize) -> Outcome<&mut Victim> {
        self.workers.get_mut(index).ok_or_else(|| Failure::new(format!("there is no worker {index}")))
    }

    /// Fails when a worker ended by itself: only we end workers.
    pub(super) fn workers_run(&mut self) -> Outcome<()> {
        self.workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| self.site.see_log(&failure))
    }

    /// Adds jobs to the queue.
    pub(super) fn enqueue(&mut self, jobs: usize) -> Outcome<()> {
        self.enqueued += jobs;
        self.last_before = self.site.journal.read()?.enqueued.last().cloned().unwrap_or_default();
        self.site.ask(&["enqueue", &self.site.journal_path(), &jobs.to_string()]).map(drop)
    }

    /// Waits a while until at most so many of the latest jobs have not ended. Dead letters do not end, and get their attempts back
    /// when one waited in vain.
    pub(super) fn until_left(&mut self, count: usize) -> Outcome<()> {
        let ended = until_or_not(PROGRESS_WITHIN, || {
            self.workers_run()?;
            Ok((self.site.journal.read()?.left_after(&self.last_before) <= count).then_some(()))
        })?;
        if ended.is_none() { self.retry_dead() } else { Ok(()) }
    }

    /// Waits until no job is left; dead letters get their attempts back, as an operator would give them.
    pub(super) fn until_done(&mut self) -> Outcome<()> {
        until(DONE_WITHIN, "all jobs to be done", || {
            self.workers_run()?;
            pause(BETWEEN_LOOKS);
            let jobs = self.site.jobs()?;
            if jobs.waiting == 0 && jobs.dead > 0 {
                self.retry_dead()?;
            }
            Ok((jobs.waiting + jobs.dead == 0).then_some(()))
        })
    }

    /// Waits a while until a worker is in the middle of a job, and says which one: this one, if it is too.
    pub(super) fn until_mid_job(&mut self, preferred: usize) -> Outcome<usize> {
        let mut processes: Vec<(usize, u32)> = self.workers.iter().map(Victim::id).enumerate().collect();
        processes.sort_by_key(|(index, _)| *index != preferred);
        let found = until_or_not(PROGRESS_WITHIN, || {
            self.workers_run()?;
            let story = self.site.journal.read()?;
            let mid_job = processes.iter().find(|(_, process)| !story.open_in(*process).is_empty());
            let are_done = story.left_after(&self.last_before) == 0;
            Ok(mid_job.map(|(index, _)| *index).or_else(|| are_done.then_some(preferred)))
        })?;
        Ok(found.unwrap_or(preferred))
    }

    /// Kills a worker, notes what it was doing, and starts another in its place.
    pub(super) fn kill(&mut self, index: usize) -> Outcome<()> {
        let process = self.worker(index)?.id();
        self.worker(index)?.kill()?;
        let at = milliseconds_since_1970()?;
        let jobs = self.site.journal.read()?.open_in(process);
        self.kills.push(Kill { jobs, at });
        let successor = self.start_worker()?;
        *self.worker(index)? = successor;
        Ok(())
    }

    fn retry_dead(&mut self) -> Outcome<()> {
        let said = self.site.ask(&["retry"])?;
        self.retried += said.trim().parse::<u64>().while_doing(format!("read {said:?}"))?;
        Ok(())
    }

    /// SIGTERM to all; each ends well.
    pub(super) fn end_workers(&mut self) -> Outcome<()> {
        end_all(&mut self.workers)
    }
}
