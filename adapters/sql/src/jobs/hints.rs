//! Telling workers of other processes of new jobs: on PostgreSQL by NOTIFY, on the MySQL family by a number that ascends. On SQLite
//! they see by themselves that the file was written to.
//!
//! A hint within the transaction of a job would make all that give one commit one after the other. So it goes out after the
//! commit, by one task that gathers what comes meanwhile. Nothing depends on hints: polling finds every job.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dolmen_ports::jobs::Reach;
use dolmen_ports::{Dialect, IdGenerator as _, PortResult, QueueName, Uuid, UuidV7Ids};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::give_back;
use crate::database::{SqlDatabase, WeakDatabase};
use crate::driver::Mode;
use crate::statement::Bind;

const CHANNEL: &str = "dolmen_job";
const NOTIFY: &str = "select pg_notify('dolmen_job', $1)";
const COUNT: &str = "update dolmen_job_hint set number = number + 1 where id = 1";

/// A process notifies at most ten times a second, however many jobs it enqueues.
const AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// How long a listener that is lost waits before it connects again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// More queues than this are not named: whoever hears of none looks into all.
const MOST_NAMED: usize = 50;

/// What is to be told, and who listens.
#[derive(Debug)]
pub(crate) struct Hints {
    /// Tells the hints of this process from those of others.
    origin: Uuid,
    state: Mutex<State>,
    reach: AtomicU8,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeSet<QueueName>,
    telling: Option<AbortHandle>,
    listening: Option<AbortHandle>,
    /// This database has no hints, or is closed.
    is_deaf: bool,
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.close();
    }
}

impl Default for Hints {
    fn default() -> Self {
        Self { origin: UuidV7Ids::new().next(), state: Mutex::default(), reach: AtomicU8::new(0) }
    }
}

impl Hints {
    pub(super) fn reach(&self) -> Reach {
        match self.reach.load(Ordering::Acquire) {
            0 => Reach::Process,
            1 => Reach::Database,
            _ => Reach::Interrupted,
        }
    }

    fn set_reach(&self, reach: Reach) {
        let number = match reach {
            Reach::Process => 0,
            Reach::Database => 1,
            Reach::Interrupted => 2,
        };
        self.reach.store(number, Ordering::Release);
    }

    /// Ends listening for good; for the end of the database.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_deaf = true;
        if let Some(listening) = state.listening.take() {
            listening.abort();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells other processes of work in these queues, soon.
pub(super) fn tell(database: &SqlDatabase, queues: &[QueueName]) {
    if database.dialect() == Dialect::Sqlite || queues.is_empty() {
        return;
    }
    let mut state = database.hints().state();
    state.queues.extend(queues.iter().cloned());
    // One that ended with its runtime is in nobody's way.
    if state.telling.as_ref().is_some_and(|task| !task.is_finished()) {
        return;
    }
    // Without a runtime nobody can tell, and polling is enough.
    let Ok(runtime) = Handle::try_current() else { return };
    state.telling = Some(runtime.spawn(tell_all(database.clone())).abort_handle());
}

async fn tell_all(database: SqlDatabase) {
    while let Some(hint) = next_hint(database.hints()) {
        if let Err(error) = notify(&database, hint).await {
            tracing::debug!(
                error = error.chain(),
                "other processes were not told of new jobs; they find them by polling"
            );
        }
        sleep(AT_MOST_EVERY).await;
    }
}

/// What has gathered, or nothing: then the next one who tells begins anew.
fn next_hint(hints: &Hints) -> Option<String> {
    let mut state = hints.state();
    let queues = std::mem::take(&mut state.queues);
    if queues.is_empty() {
        state.telling = None;
        return None;
    }
    let named = if queues.len() > MOST_NAMED { BTreeSet::new() } else { queues };
    let listed: Vec<&str> = named.iter().map(QueueName::as_str).collect();
    Some(format!("{} {}", hints.origin, listed.join(",")))
}

async fn notify(database: &SqlDatabase, hint: String) -> PortResult<()> {
    let mut tx = database.begin(Mode::Single).await?;
    let notified = match tx.dialect() {
        Dialect::Postgres => tx.fetch(NOTIFY, &[hint.into_value()]).await.map(drop),
        _ => tx.execute(COUNT, &[]).await.map(drop),
    };
    give_back(tx).await?;
    notified
}

/// Begins to listen, if that can be done and nobody does.
pub(super) fn listen(database: &SqlDatabase) {
    if database.is_pooled() {
        return;
    }
    let mut state = database.hints().state();
    if state.is_deaf || state.listening.as_ref().is_some_and(|task| !task.is_finished()) {
        return;
    }
    let Ok(runtime) = Handle::try_current() else { return };
    state.listening = Some(runtime.spawn(hear_all(database.downgrade())).abort_handle());
}

async fn hear_all(database: WeakDatabase) {
    loop {
        let Some(strong) = database.upgrade() else { return };
        let listener = strong.listen(CHANNEL).await;
        let mut listener = match listener {
            Ok(Some(listener)) => listener,
            Ok(None) => {
                strong.hints().state().is_deaf = true;
                return;
            }
            Err(error) => {
                interrupted(&strong, &error.chain());
                drop(strong);
                sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        strong.hints().set_reach(Reach::Database);
        // What was told before is not heard any more.
        strong.wake().wake_all();
        drop(strong);
        let error = loop {
            let heard = listener.hear().await;
            let Some(strong) = database.upgrade() else { return };
            match heard {
                Ok(hint) => take(&strong, &hint),
                Err(error) => break error,
            }
        };
        let Some(strong) = database.upgrade() else { return };
        interrupted(&strong, &error.chain());
        drop(strong);
        sleep(AGAIN_AFTER).await;
    }
}

fn interrupted(database: &SqlDatabase, error: &str) {
    if database.hints().reach() != Reach::Interrupted {
        tracing::warn!(
            error,
            "new jobs of other processes are found by polling until the database can be listened to"
        );
        database.hints().set_reach(Reach::Interrupted);
    }
    // A pause that trusted in hints ends.
    database.wake().wake_all();
}

fn take(database: &SqlDatabase, hint: &str) {
    let Some((origin, names)) = hint.split_once(' ') else { return };
    if origin == database.hints().origin.to_string() {
        return;
    }
    let queues: Vec<QueueName> = names.split(',').filter_map(|name| QueueName::parse(name).ok()).collect();
    if queues.is_empty() {
        database.wake().wake_all();
    } else {
        database.wake().wake(queues);
    }
}
