//! Jobs that run right after the transaction that enqueued them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dolmen::{DueJobs, JobRun};
use dolmen_ports::PortResult;

use crate::fakes::AfterCommit;

/// Works off due jobs whenever a transaction that enqueued some was committed.
#[derive(Debug)]
pub(super) struct Inline {
    jobs: DueJobs,
    /// Whoever holds it works, for all.
    turn: tokio::sync::Mutex<()>,
    /// Something was enqueued since the one who works has looked.
    again: AtomicBool,
    runs: Mutex<Vec<JobRun>>,
}

impl Inline {
    pub(super) fn new(jobs: DueJobs) -> Arc<Self> {
        Arc::new(Self {
            jobs,
            turn: tokio::sync::Mutex::new(()),
            again: AtomicBool::new(false),
            runs: Mutex::default(),
        })
    }

    /// Runs what is due, and returns all attempts since the last call.
    pub(super) async fn drain(&self) -> PortResult<Vec<JobRun>> {
        let turn = self.turn.lock().await;
        self.work().await?;
        drop(turn);
        Ok(std::mem::take(&mut *self.runs.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Runs what is due, and keeps the attempts for [`Inline::drain`].
    pub(super) async fn keep_up(&self) -> PortResult<()> {
        let _turn = self.turn.lock().await;
        self.work().await
    }

    async fn work(&self) -> PortResult<()> {
        let runs = self.jobs.run().await?;
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).extend(runs);
        Ok(())
    }
}

#[async_trait]
impl AfterCommit for Inline {
    #[expect(clippy::panic, reason = "a test fails by panicking, and the commit itself succeeded")]
    async fn committed(&self) {
        self.again.store(true, Ordering::SeqCst);
        while self.again.load(Ordering::SeqCst) {
            // Held by another task, or by the one whose job has just committed: it looks again.
            let Ok(_turn) = self.turn.try_lock() else { return };
            while self.again.swap(false, Ordering::SeqCst) {
                if let Err(error) = self.work().await {
                    panic!("a job that should run inline could not: {}", error.chain());
                }
                // Tasks that stand ready to commit leave their jobs to this one, too.
                tokio::task::yield_now().await;
            }
        }
    }
}
