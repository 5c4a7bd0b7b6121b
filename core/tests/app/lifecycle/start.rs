use dolmen::ports::Migration;
use dolmen::{Access, MigrationSet, ModuleName, Phase, Role, RouteSet, RunContext, RunError};

use super::scene::{Diarist, Journal, Runner, Running, Start, builder, web};
use crate::support::TestModule;

#[tokio::test(start_paused = true)]
async fn modules_start_after_what_they_require_and_stop_in_reverse_around_the_runners() {
    let journal = Journal::default();
    let top = Diarist { requires: const { &[ModuleName::new("base")] }, ..Diarist::new("top", &journal) };
    let app = builder()
        .module(top)
        .module(Diarist::new("base", &journal))
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .build();
    let running = Running::ready(app, web()).await;
    running.signal();
    running.end().await.unwrap();
    let expected = ["base starts", "top starts", "web serves", "web drains", "top stops", "base stops"];
    assert_eq!(journal.entries(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_run_until_a_future_ends_with_it() {
    let journal = Journal::default();
    let app = builder().runner(Runner::obedient(Role::Web, "web", &journal)).build();
    let operations = app.operations().clone();
    app.run_until(web(), async move { operations.until_ready().await }).await.unwrap();
    assert_eq!(journal.entries(), ["web serves", "web drains"]);
}

#[tokio::test(start_paused = true)]
async fn only_runners_of_the_chosen_roles_run() {
    let journal = Journal::default();
    let app = builder()
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .runner(Runner::obedient(Role::Migrate, "other", &journal))
        .runner(Runner::obedient(None, "probes", &journal))
        .build();
    let running = Running::ready(app, web()).await;
    assert_eq!(running.operations.info().roles, ["web"]);
    running.signal();
    running.end().await.unwrap();
    assert!(!journal.entries().iter().any(|entry| entry.starts_with("other")));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_nothing_runs_is_an_error() {
    let error = Running::begin(builder().build(), web()).end().await.unwrap_err();
    assert!(matches!(error, RunError::NoRunner { role: Role::Web }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_violation_ends_the_run_before_anything_starts() {
    let journal = Journal::default();
    let app = builder()
        .module(Diarist::new("alpha", &journal))
        .module(TestModule::new("Not A Name"))
        .runner(Runner::obedient(None, "probes", &journal))
        .build();
    let error = Running::begin(app, web()).end().await.unwrap_err();
    assert!(matches!(error, RunError::Invalid(_)), "{error}");
    assert_eq!(journal.entries(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_start_stops_those_before_it() {
    for (start, text) in [(Start::Fails, "did not start"), (Start::Hangs, "did not start within 30 s")] {
        let journal = Journal::default();
        let broken = Diarist { start, ..Diarist::new("broken", &journal) };
        let app = builder()
            .module(Diarist::new("base", &journal))
            .module(broken)
            .module(Diarist::new("never", &journal))
            .runner(Runner::obedient(Role::Web, "web", &journal))
            .build();
        let error = Running::begin(app, web()).end().await.unwrap_err();
        assert!(
            error.to_string().starts_with("module broken") && error.to_string().contains(text),
            "{error}"
        );
        assert_eq!(journal.entries(), ["base starts", "broken starts", "base stops"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_during_the_start_ends_well_and_at_once() {
    let journal = Journal::default();
    let hanging = Diarist { start: Start::Hangs, ..Diarist::new("slow", &journal) };
    let app = builder()
        .module(Diarist::new("base", &journal))
        .module(hanging)
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .build();
    let running = Running::begin(app, web());
    let start = tokio::time::Instant::now();
    running.signal();
    let operations = running.operations.clone();
    running.end().await.unwrap();
    assert!(start.elapsed().is_zero(), "nobody was told that it is ready, so there is no delay");
    assert_eq!(operations.info().phase, Phase::Stopped);
    assert!(!operations.startup().started);
    assert!(!journal.entries().contains(&"web serves".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn routes_are_taken_once_with_the_names_of_their_modules() {
    let alpha = TestModule::new("alpha").registers(|registrar| {
        registrar.routes(RouteSet::new(serde_json::json!({}), Access::Public, Box::new(7_u32)));
    });
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let web_runner = Runner::new(Role::Web, "web", async move |context: RunContext| {
        sender.send((context.take_routes(), context.take_routes().len())).unwrap();
        context.ready();
        context.shutdown().draining().await;
        Ok(())
    });
    let running = Running::ready(builder().module(alpha).runner(web_runner).build(), web()).await;
    let (routes, taken_again) = receiver.await.unwrap();
    assert_eq!((routes.len(), routes[0].module, taken_again), (1, ModuleName::new("alpha"), 0));
    running.signal();
    running.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn operations_know_the_program_and_its_modules() {
    const MIGRATIONS: &[Migration] = &[Migration::new("0001_a", "create table alpha_a (id text)", "")];
    let alpha = TestModule::new("alpha").migrations(MigrationSet::new(ModuleName::new("alpha"), MIGRATIONS));
    let app = builder().module(alpha).build();
    let modules = serde_json::to_value(app.operations().modules()).unwrap();
    assert_eq!(modules[0]["name"], "alpha");
    assert_eq!(modules[0]["tables"], serde_json::json!(["alpha_a"]));
    let info = serde_json::to_value(app.operations().info()).unwrap();
    assert_eq!(info["environment"], "development");
    assert_eq!(info["schema"], serde_json::json!({ "state": "unknown" }));
}
