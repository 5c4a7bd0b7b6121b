//! Jobs that a test leaves behind.

use std::sync::atomic::Ordering;

use dolmen_ports::{ErrorKind, JobFilter, JobRecord, JobState, PortError, PortResult, QueueName};
use futures_util::FutureExt as _;

use super::TestApp;
use super::watch::WATCH;

impl TestApp {
    /// Ends the test: fails if jobs are left behind that wait, run or are dead.
    ///
    /// A drop does the same for an application on fakes. With a database that answers later, call this.
    ///
    /// # Errors
    /// `Conflict`, with the jobs that are left.
    pub async fn finish(self) -> PortResult<()> {
        let result = self.check_leftovers().await;
        self.ignore_leftovers();
        result
    }

    async fn check_leftovers(&self) -> PortResult<()> {
        if !self.checks_leftovers.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut filter = JobFilter::state(JobState::Ready);
        filter.states.extend([JobState::Running, JobState::Dead]);
        let mut left = self.records(&filter).await?;
        left.retain(|record| !record.kind.starts_with(WATCH.as_str()));
        if left.is_empty() {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::Conflict, "test", "end").with_detail(format!(
            "jobs are left behind; drain them, or call ignore_leftovers: {}",
            list(&left)
        )))
    }

    /// All jobs in one line, for messages.
    #[doc(hidden)]
    pub async fn summary(&self) -> String {
        match self.records(&JobFilter::all()).await {
            Ok(records) if records.is_empty() => "there are no jobs".to_owned(),
            Ok(records) => format!("there are: {}", list(&records)),
            Err(error) => format!("the jobs cannot be read: {error}"),
        }
    }
}

/// Jobs in one line: state, kind, payload, whose, where, when, and why they failed.
pub(super) fn list(records: &[JobRecord]) -> String {
    records.iter().map(describe).collect::<Vec<_>>().join("; ")
}

fn describe(record: &JobRecord) -> String {
    let tenant = record.tenant.map(|tenant| format!(" for tenant {tenant}")).unwrap_or_default();
    let queue = match &record.queue {
        queue if *queue == QueueName::DEFAULT => String::new(),
        queue => format!(" in queue {queue}"),
    };
    let unique = record.unique_key.as_ref().map(|key| format!(" unique by {key:?}")).unwrap_or_default();
    let error = record.last_error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
    format!(
        "{} {} {}{tenant}{queue}{unique}, due at {}{error}",
        record.state.name(),
        record.kind,
        record.payload,
        record.due_at
    )
}

impl Drop for TestApp {
    #[expect(clippy::panic, reason = "a test fails by panicking, and this is the end of one")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        match self.check_leftovers().now_or_never() {
            Some(Ok(())) => {}
            Some(Err(error)) => panic!("{error}"),
            None => panic!("end the test with app.finish().await: its database does not answer at once"),
        }
    }
}
