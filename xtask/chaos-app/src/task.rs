//! A job that does as it is told: how it takes its time, and how it ends.

use std::time::Duration;

use clap::ValueEnum;
use dolmen::{ErrorKind, Job, JobContext, JobError, JobHandler, WriteTx};
use serde::{Deserialize, Serialize};

use crate::journal::Journal;
use crate::module::leave_a_mark;

/// How a task takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Manner {
    /// As it should: it waits in an await, and returns when it is told to stop.
    Heed,
    /// It waits in an await, whatever it is told.
    Ignore,
    /// It lets the thread of the runtime sleep.
    Block,
    /// It keeps the thread of the runtime busy.
    Spin,
    /// It ends the process.
    Abort,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) manner: Manner,
    pub(crate) millis: u64,
}

impl Job for Task {
    const KIND: &'static str = "chaos.do_task";
}

/// Does tasks. Each leaves a mark when it is done, and notes in the journal when it begins and ends.
#[derive(Debug, Clone)]
pub(crate) struct TaskDoer {
    pub(crate) journal: Journal,
    /// How long each takes here, whatever it says itself.
    pub(crate) time: Option<Duration>,
}

impl JobHandler<Task> for TaskDoer {
    async fn run(&self, task: Task, context: JobContext) -> Result<(), JobError> {
        let time = self.time.unwrap_or(Duration::from_millis(task.millis));
        self.note("begin", &context)?;
        match task.manner {
            Manner::Heed => tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = context.cancelled() => {
                    self.note("stopped", &context)?;
                    return Err(JobError::retry("told to stop"));
                }
            },
            Manner::Ignore => tokio::time::sleep(time).await,
            Manner::Block => block(time),
            Manner::Spin => spin(time),
            Manner::Abort => std::process::abort(),
        }
        let effect = async |tx: &mut WriteTx| leave_a_mark(tx, &context).await;
        if let Err(error) = context.complete(effect).await {
            let event = if error.kind() == ErrorKind::LeaseLost { "refused" } else { "failed" };
            self.note(event, &context)?;
            return Err(error.into());
        }
        self.note("end", &context)
    }
}

impl TaskDoer {
    fn note(&self, event: &str, context: &JobContext) -> Result<(), JobError> {
        self.journal.note(event, context).map_err(JobError::retry)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the fault")]
fn block(time: Duration) {
    std::thread::sleep(time);
}

fn spin(time: Duration) {
    let start = std::time::Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
