//! Signals of the operating system reach `App::run`. Alone in its process, because it sends itself SIGTERM.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{App, AppPorts, BoxError, OsSignals, Role, RoleRunner, Roles, RunContext, RunError, Signals};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryJobQueue, MemoryScheduleStore};
use tokio::task::JoinSet;

/// Serves until the drain, or for ever.
struct Web {
    listens: bool,
}

#[async_trait]
impl RoleRunner for Web {
    fn role(&self) -> Option<Role> {
        Some(Role::Web)
    }

    fn name(&self) -> &'static str {
        "web"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        context.ready();
        if self.listens {
            context.shutdown().draining().await;
            return Ok(());
        }
        std::future::pending().await
    }
}

fn send(signal: &str) {
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
}

/// Runs until these signals have ended it; each is sent when the one before it has begun the drain.
async fn run_until(signals: [Option<&str>; 2], listens: bool) -> Result<(), RunError> {
    let database = MemoryDatabase::new();
    let queue = Arc::new(MemoryJobQueue::new(&database));
    let ports = AppPorts::new(database.database(), queue, Arc::new(MemoryScheduleStore::new()));
    let app = App::builder(ports).runner(Web { listens }).build();
    let operations = app.operations().clone();
    let mut run = JoinSet::new();
    run.spawn(app.run(Roles::of(&[Role::Web])));
    operations.until_ready().await;
    for signal in signals.into_iter().flatten() {
        send(signal);
        while operations.readiness().await.ready {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    tokio::time::timeout(Duration::from_secs(10), run.join_next()).await.unwrap().unwrap().unwrap()
}

/// One test, because signals go to the whole process.
#[tokio::test]
async fn sigterm_and_sigint_drain_and_a_second_signal_stops_at_once() {
    for signal in ["TERM", "INT"] {
        run_until([Some(signal), None], true).await.unwrap();
    }
    let error = run_until([Some("TERM"), Some("INT")], false).await.unwrap_err();
    assert!(matches!(error, RunError::StoppedAtOnce), "{error}");
    one_request_that_comes_twice_is_one().await;
}

/// A supervisor that signals a process and its group asks once.
async fn one_request_that_comes_twice_is_one() {
    let mut signals = OsSignals::new().unwrap();
    send("TERM");
    signals.next().await;
    send("TERM");
    let again = tokio::time::timeout(Duration::from_millis(200), signals.next()).await;
    assert!(again.is_err(), "the second SIGTERM belongs to the first");
    send("INT");
    signals.next().await;
    // Another clock than the machine's: whoever asks again later means it.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    send("TERM");
    signals.next().await;
}
