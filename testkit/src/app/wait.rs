//! Waiting for a state, with a deadline.

use std::time::Duration;

use dolmen_ports::{Email, ErrorKind, Event, Job, JobFilter, JobState, PortError, PortResult};
use tokio::time::Instant;

use super::TestApp;

/// How long a wait may take. With everything in one process it is over at once or never.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long to wait for a commit before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl TestApp {
    /// Waits until there are jobs of a kind and all of them are done; returns the latest. Runs due jobs meanwhile.
    ///
    /// # Errors
    /// `Internal` when one of them is dead, with its reason; `Timeout` when it takes too long.
    pub async fn wait_for_job<J: Job>(&self) -> PortResult<J> {
        self.wait_until(J::KIND, || self.last_done::<J>()).await
    }

    /// The latest job of a kind, once all jobs of the kind are done.
    async fn last_done<J: Job>(&self) -> PortResult<Option<J>> {
        let records = self.records(&JobFilter::all().with_kind(J::KIND)).await?;
        if let Some(dead) = records.iter().find(|record| record.state == JobState::Dead) {
            let reason = dead.last_error.as_deref().unwrap_or("nobody knows why");
            return Err(error(
                ErrorKind::Internal,
                format!("job {} of {} is dead: {reason}", dead.id, J::KIND),
            ));
        }
        if records.iter().any(|record| matches!(record.state, JobState::Ready | JobState::Running)) {
            return Ok(None);
        }
        let last = records.iter().rfind(|record| record.state == JobState::Done);
        Ok(last.and_then(|record| serde_json::from_str(&record.payload).ok()))
    }

    /// Waits until an event of a type was published; returns the latest. Runs due jobs meanwhile.
    ///
    /// # Errors
    /// `Timeout` when it takes too long, or nobody subscribes to the event (see [`TestApp::events`]).
    pub async fn wait_for_event<E: Event>(&self) -> PortResult<E> {
        self.wait_until(E::NAME, || async { Ok(self.events::<E>().await?.pop()) }).await
    }

    /// Waits until a mail was sent to an address; returns the latest. Runs due jobs meanwhile.
    ///
    /// # Errors
    /// `Timeout` when it takes too long.
    pub async fn wait_for_mail(&self, to: &str) -> PortResult<Email> {
        let find = || Ok(self.mails().into_iter().rfind(|mail| mail.to.as_str() == to));
        self.wait_until(to, || std::future::ready(find())).await
    }

    /// Runs due jobs until `look` finds something; `what` names it in the failure.
    ///
    /// # Errors
    /// The error of `look`, or `Timeout` after ten seconds, with all jobs that are there.
    pub async fn wait_until<T, F, Fut>(&self, what: &str, look: F) -> PortResult<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = PortResult<Option<T>>>,
    {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if !self.drain().await?.is_empty() {
                continue;
            }
            if Instant::now() >= deadline {
                let jobs = self.summary().await;
                return Err(error(ErrorKind::Timeout, format!("no {what} after {DEADLINE:?}; {jobs}")));
            }
            self.queue().wait(&[], LOOK_AGAIN).await;
        }
    }
}

fn error(kind: ErrorKind, detail: String) -> PortError {
    PortError::new(kind, "test", "wait").with_detail(detail)
}
