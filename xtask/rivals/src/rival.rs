//! What a rival has to do, and which there are.

use std::any::Any;

use async_trait::async_trait;
use clap::ValueEnum;
use uuid::Uuid;

use crate::load::Nothing;
use crate::{apalis, graphile, river, sqlxmq, underway};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A worker that runs; dropping it ends it.
pub(crate) type Running = Box<dyn Any + Send>;

/// Which of a rival's settings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    /// The best at working off a queue.
    Working,
    /// The best at starting a job at once.
    Waking,
    /// One of the list that the sweep tries.
    Variant(usize),
}

/// A job queue, opened on an empty database that has got its tables.
#[async_trait]
pub(crate) trait Rival: Send + Sync {
    /// Starts a worker.
    async fn work(&self) -> Result<Running, BoxError>;

    /// One transaction: an order of the business, and a job by the rival's public call.
    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError>;

    /// A job, in no other transaction than its own.
    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError>;

    /// Many jobs in one call; false if the rival has no such call.
    async fn enqueue_all(&self, work: &[Nothing]) -> Result<bool, BoxError>;

    /// Cheap: whether any job is still to be done, as the database has it.
    fn is_any_left(&self) -> &'static str;

    /// The number of jobs that are done, if the database keeps them, or of those that are not.
    fn tally(&self) -> Tally;
}

/// How the result of a run is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tally {
    /// Counts the jobs that are done.
    Done(&'static str),
    /// Counts the jobs that are there; one that is done is deleted.
    There(&'static str),
}

/// All of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    River,
    Graphile,
    Apalis,
    Underway,
    Sqlxmq,
}

impl Name {
    pub(crate) async fn open(self, url: &str, choice: Choice) -> Result<Box<dyn Rival>, BoxError> {
        Ok(match self {
            Self::River => {
                Box::new(river::River::open(url, pick(&river::SWEEP, river::BEST, choice)?).await?)
            }
            Self::Graphile => Box::new(
                graphile::Graphile::open(url, pick(&graphile::SWEEP, graphile::BEST, choice)?).await?,
            ),
            Self::Apalis => {
                Box::new(apalis::Apalis::open(url, pick(&apalis::SWEEP, apalis::BEST, choice)?).await?)
            }
            Self::Underway => Box::new(
                underway::Underway::open(url, pick(&underway::SWEEP, underway::BEST, choice)?).await?,
            ),
            Self::Sqlxmq => {
                Box::new(sqlxmq::Sqlxmq::open(url, pick(&sqlxmq::SWEEP, sqlxmq::BEST, choice)?).await?)
            }
        })
    }

    /// As many as it works off in a few seconds.
    pub(crate) fn jobs(self) -> usize {
        match self {
            Self::River => river::JOBS,
            Self::Graphile => graphile::JOBS,
            Self::Apalis => apalis::JOBS,
            Self::Underway => underway::JOBS,
            Self::Sqlxmq => sqlxmq::JOBS,
        }
    }

    pub(crate) fn settings(self) -> Vec<String> {
        match self {
            Self::River => shown(&river::SWEEP),
            Self::Graphile => shown(&graphile::SWEEP),
            Self::Apalis => shown(&apalis::SWEEP),
            Self::Underway => shown(&underway::SWEEP),
            Self::Sqlxmq => shown(&sqlxmq::SWEEP),
        }
    }
}

/// Where the best settings are in the list of a rival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) working: usize,
    pub(crate) waking: usize,
}

fn pick<S: Copy>(sweep: &[S], best: Best, choice: Choice) -> Result<S, BoxError> {
    let index = match choice {
        Choice::Working => best.working,
        Choice::Waking => best.waking,
        Choice::Variant(index) => index,
    };
    sweep.get(index).copied().ok_or_else(|| format!("there are no settings {index}").into())
}

fn shown<S: std::fmt::Debug>(sweep: &[S]) -> Vec<String> {
    sweep.iter().map(|settings| format!("{settings:?}")).collect()
}
