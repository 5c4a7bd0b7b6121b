//! What became of an attempt, as tests and metrics see it.

use dolmen_ports::JobId;

/// What became of one attempt of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobOutcome {
    /// The job is done.
    Done,
    /// The attempt failed; the job runs again later.
    Retried,
    /// Not yet: the job runs again later, and the attempt was not counted.
    Snoozed,
    /// The job is a dead letter.
    Dead,
    /// The job was given up on purpose.
    Discarded,
    /// The worker stopped first and gave the job back; the attempt was not counted.
    Released,
    /// The lease is void, so nothing was changed: somebody else holds the job by now, or it has ended, perhaps by a commit of
    /// this attempt whose answer was lost.
    LeaseLost,
    /// The queue took no answer, so the lease runs out and the job runs again.
    Unsettled,
}

impl JobOutcome {
    /// The name, as in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Snoozed => "snoozed",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
            Self::Released => "released",
            Self::LeaseLost => "lease_lost",
            Self::Unsettled => "unsettled",
        }
    }
}

/// One attempt that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRun {
    /// The job.
    pub job: JobId,
    /// Its kind.
    pub kind: String,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What became of it.
    pub outcome: JobOutcome,
}
