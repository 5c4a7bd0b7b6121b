use dolmen::{BoxError, Phase, Role, RunContext, RunError, error_chain};
use tokio::sync::oneshot;

use super::scene::{Journal, Runner, Running, builder, web};

/// A runner that serves until it is told to end like this.
fn breaking(
    role: impl Into<Option<Role>>,
    how: impl FnOnce() -> Result<(), BoxError> + Send + 'static,
) -> (Runner, oneshot::Sender<()>) {
    let (sender, told) = oneshot::channel::<()>();
    let runner = Runner::new(role, "breaking", async move |context: RunContext| {
        context.ready();
        told.await?;
        how()
    });
    (runner, sender)
}

async fn error_of(
    role: impl Into<Option<Role>>,
    how: impl FnOnce() -> Result<(), BoxError> + Send + 'static,
) -> RunError {
    let journal = Journal::default();
    let (runner, end) = breaking(role, how);
    let app = builder().runner(runner).runner(Runner::obedient(Role::Web, "web", &journal)).build();
    let running = Running::ready(app, web()).await;
    end.send(()).unwrap();
    running.until(Phase::Draining).await;
    assert!(!running.operations.readiness().await.ready);
    let error = running.end().await.unwrap_err();
    assert_eq!(journal.entries(), ["web serves", "web drains"], "the others are drained");
    error
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_fails_ends_the_process_with_its_error() {
    let error = error_of(Role::Web, || Err("port 8080 is gone".into())).await;
    assert_eq!(error_chain(&error), "runner breaking failed: port 8080 is gone");
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_returns_early_ends_the_process_with_an_error() {
    let error = error_of(Role::Web, || Ok(())).await;
    assert!(matches!(error, RunError::RunnerEnded { runner: "breaking" }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_panics_ends_the_process_with_an_error() {
    let error = error_of(Role::Web, || panic!("on purpose")).await;
    assert_eq!(error_chain(&error), "runner breaking failed: it panicked");
}

#[tokio::test(start_paused = true)]
async fn a_runner_without_a_role_counts_like_the_others() {
    let error = error_of(None, || Ok(())).await;
    assert!(matches!(error, RunError::RunnerEnded { runner: "breaking" }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_during_the_drain_is_reported_too() {
    let runner = Runner::new(Role::Web, "web", async move |context: RunContext| {
        context.ready();
        context.shutdown().draining().await;
        Err("a connection broke".into())
    });
    let running = Running::ready(builder().runner(runner).build(), web()).await;
    running.signal();
    let error = running.end().await.unwrap_err();
    assert_eq!(error_chain(&error), "runner web failed: a connection broke");
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_is_the_one_that_is_reported() {
    let (first, end) = breaking(Role::Web, || Err("first".into()));
    let second = Runner::new(Role::Web, "second", async move |context: RunContext| {
        context.ready();
        context.shutdown().draining().await;
        Err("second".into())
    });
    let running = Running::ready(builder().runner(first).runner(second).build(), web()).await;
    end.send(()).unwrap();
    let error = running.end().await.unwrap_err();
    assert_eq!(error_chain(&error), "runner breaking failed: first");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_though_signals_come_while_it_ends() {
    let (runner, end) = breaking(Role::Web, || Err("the disk is full".into()));
    let slow = Runner::new(Role::Web, "slow", async move |context: RunContext| {
        context.ready();
        context.shutdown().stopping().await;
        Ok(())
    });
    let running = Running::ready(builder().runner(runner).runner(slow).build(), web()).await;
    end.send(()).unwrap();
    running.until(Phase::Draining).await;
    running.signal();
    running.signal();
    let error = running.end().await.unwrap_err();
    assert_eq!(error_chain(&error), "runner breaking failed: the disk is full");
}
