use std::time::Duration;

use dolmen::{Phase, Role, RunContext, RunError};
use tokio::time::Instant;

use super::scene::{Diarist, Journal, Runner, Running, builder, web};

#[tokio::test(start_paused = true)]
async fn readiness_is_taken_back_a_delay_before_the_runners_drain() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let runner = Runner::new(Role::Web, "web", async move |context: RunContext| {
        context.ready();
        context.shutdown().draining().await;
        sender.send(Instant::now()).unwrap();
        Ok(())
    });
    let running = Running::ready(builder().runner(runner).build(), web()).await;
    assert!(running.operations.readiness().await.ready);
    let asked = Instant::now();
    running.signal();
    running.until(Phase::Draining).await;
    assert!(!running.operations.readiness().await.ready);
    running.end().await.unwrap();
    assert_eq!(receiver.await.unwrap() - asked, Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_outlives_the_grace_period_is_told_to_stop() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let deaf = Runner::new(Role::Web, "web", async move |context: RunContext| {
        context.ready();
        context.shutdown().stopping().await;
        sender.send(Instant::now()).unwrap();
        Ok(())
    });
    let running = Running::ready(builder().runner(deaf).build(), web()).await;
    let asked = Instant::now();
    running.signal();
    running.end().await.unwrap();
    assert_eq!(receiver.await.unwrap() - asked, Duration::from_secs(5 + 20));
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_never_ends_is_left_behind_before_modules_stop() {
    let journal = Journal::default();
    let held = journal.clone();
    let deaf = Runner::new(Role::Web, "web", async move |context: RunContext| {
        let _dropped = NoteOnDrop(held);
        context.ready();
        std::future::pending().await
    });
    let app = builder().module(Diarist::new("alpha", &journal)).runner(deaf).build();
    let running = Running::ready(app, web()).await;
    let asked = Instant::now();
    running.signal();
    running.end().await.unwrap();
    assert_eq!(asked.elapsed(), Duration::from_secs(5 + 20 + 2));
    assert_eq!(journal.entries(), ["alpha starts", "web is dropped", "alpha stops"]);
}

struct NoteOnDrop(Journal);

impl Drop for NoteOnDrop {
    fn drop(&mut self) {
        self.0.note("web is dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_stops_at_once() {
    let journal = Journal::default();
    let deaf = Runner::new(Role::Web, "web", async move |context: RunContext| {
        context.ready();
        std::future::pending().await
    });
    let app = builder().module(Diarist::new("alpha", &journal)).runner(deaf).build();
    let running = Running::ready(app, web()).await;
    let asked = Instant::now();
    running.signal();
    running.signal();
    let error = running.end().await.unwrap_err();
    assert!(matches!(error, RunError::StoppedAtOnce), "{error}");
    assert_eq!(error.exit_code(), 130);
    assert!(asked.elapsed().is_zero());
    assert_eq!(journal.entries(), ["alpha starts"]);
}

#[tokio::test(start_paused = true)]
async fn runners_without_a_role_answer_from_before_the_modules_start_to_after_they_stop() {
    let journal = Journal::default();
    let app = builder()
        .module(Diarist::new("alpha", &journal))
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .runner(Runner::obedient(None, "probes", &journal))
        .build();
    let running = Running::ready(app, web()).await;
    running.signal();
    running.end().await.unwrap();
    let entries = journal.entries();
    let position = |entry: &str| entries.iter().position(|other| other == entry).unwrap();
    assert!(position("web drains") < position("alpha stops"));
    assert!(position("alpha stops") < position("probes drains"));
}

#[tokio::test(start_paused = true)]
async fn the_database_is_closed_at_the_end() {
    let journal = Journal::default();
    let app = builder().runner(Runner::obedient(Role::Web, "web", &journal)).build();
    let database = app.ports().database().clone();
    let running = Running::ready(app, web()).await;
    database.ping().await.unwrap();
    running.signal();
    running.end().await.unwrap();
    assert!(database.ping().await.is_err());
}
