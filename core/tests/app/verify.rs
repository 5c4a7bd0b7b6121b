//! `App::verify` reports each kind of violation, and all kinds in one run.

use dolmen::ports::Migration;
use dolmen::{
    Access, App, AppPorts, Cron, Event, Job, JobContext, JobError, MigrationSet, ModuleName, Registrar,
    Route, RouteSet, Violation,
};
use dolmen_testkit::fakes::MemoryDatabase;
use serde::{Deserialize, Serialize};

use crate::support::{self, TestModule};

const fn name(name: &'static str) -> ModuleName {
    ModuleName::new(name)
}

fn violations(modules: Vec<TestModule>) -> Vec<Violation> {
    violations_on(support::ports(&MemoryDatabase::new()), modules)
}

fn violations_on(ports: AppPorts, modules: Vec<TestModule>) -> Vec<Violation> {
    let builder = modules.into_iter().fold(App::builder(ports), dolmen::AppBuilder::module);
    builder.build().verify().err().map(|error| error.violations().to_vec()).unwrap_or_default()
}

macro_rules! jobs {
    ($($job:ident = $kind:literal $({ $($body:tt)* })?;)*) => {$(
        #[derive(Serialize, Deserialize)]
        struct $job;
        impl Job for $job {
            const KIND: &'static str = $kind;
            $($($body)*)?
        }
    )*};
}

jobs! {
    Count = "alpha.count";
    Hopeless = "alpha.hopeless" { const MAX_ATTEMPTS: u32 = 0; };
    Strange = "elsewhere.strange";
}

#[derive(Serialize, Deserialize)]
struct Counted;

impl Event for Counted {
    const NAME: &'static str = "alpha.counted.v1";
}

async fn run<J: Job>(_: J, _: JobContext) -> Result<(), JobError> {
    Ok(())
}

async fn on<E: Event>(_: E, _: JobContext) -> Result<(), JobError> {
    Ok(())
}

fn routes(path: &str, schema: &str) -> RouteSet {
    let document = serde_json::json!({
        "paths": { path: { "get": {} } },
        "components": { "schemas": { "Thing": { "type": schema } } },
    });
    RouteSet::new(document, Access::Public, Box::new(()))
}

fn counts(registrar: &mut Registrar<'_>) {
    registrar.event::<Counted>();
    registrar.job::<Count>(run::<Count>);
    registrar.schedule("nightly", Cron::new("0 2 * * *"), |_| Count);
    registrar.routes(routes("/things/{id}", "string"));
}

fn owns_counted(registrar: &mut Registrar<'_>) {
    registrar.event::<Counted>();
}

const MIGRATIONS: &[Migration] =
    &[Migration::new("0001_things", "", ""), Migration::new("0002_more", "", "")];

#[test]
fn modules_that_fit_together_are_sound() {
    let alpha =
        TestModule::new("alpha").migrations(MigrationSet::new(name("alpha"), MIGRATIONS)).registers(counts);
    let beta = TestModule::new("beta").requires(const { &[name("alpha")] }).registers(|registrar| {
        registrar.subscribe("note", on::<Counted>);
        registrar.routes(routes("/others", "string"));
    });
    assert_eq!(violations(vec![alpha, beta]), []);
}

#[test]
fn a_module_needs_a_name_that_tables_can_begin_with() {
    let found = violations(vec![TestModule::new("Alpha")]);
    assert_eq!(found, [Violation::InvalidModuleName { module: name("Alpha") }]);
    assert!(found[0].to_string().contains("rename it"));
}

#[test]
fn a_module_is_there_once() {
    let found = violations(vec![TestModule::new("alpha"), TestModule::new("alpha")]);
    assert_eq!(found, [Violation::DuplicateModule { module: name("alpha") }]);
}

#[test]
fn a_required_module_is_part_of_the_application() {
    let found = violations(vec![TestModule::new("alpha").requires(const { &[name("beta")] })]);
    assert_eq!(found, [Violation::UnknownRequirement { module: name("alpha"), requires: name("beta") }]);
    assert!(found[0].to_string().contains("add that module"));
}

#[test]
fn a_circle_of_requirements_is_printed() {
    let found = violations(vec![
        TestModule::new("gamma").requires(const { &[name("alpha")] }),
        TestModule::new("alpha").requires(const { &[name("beta")] }),
        TestModule::new("beta").requires(const { &[name("gamma")] }),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().contains("alpha → beta → gamma → alpha"), "{}", found[0]);
}

#[test]
fn an_event_that_somebody_awaits_has_an_owner() {
    let beta = TestModule::new("beta").registers(|registrar| registrar.subscribe("note", on::<Counted>));
    let found = violations(vec![beta]);
    assert_eq!(found, [Violation::EventWithoutOwner { module: name("beta"), event: Counted::NAME }]);
    assert!(found[0].to_string().contains("registrar.event"));
}

#[test]
fn an_event_has_one_owner() {
    let owner = || TestModule::new("alpha").registers(owns_counted);
    let found = violations(vec![owner(), owner()]);
    let twice =
        Violation::EventOwnedTwice { module: name("alpha"), event: Counted::NAME, owner: name("alpha") };
    assert_eq!(found, [Violation::DuplicateModule { module: name("alpha") }, twice]);
}

#[test]
fn a_subscription_is_a_declared_dependency() {
    let alpha = TestModule::new("alpha").registers(owns_counted);
    let beta = TestModule::new("beta").registers(|registrar| registrar.subscribe("note", on::<Counted>));
    let found = violations(vec![alpha, beta]);
    let undeclared =
        Violation::UndeclaredDependency { module: name("beta"), event: Counted::NAME, owner: name("alpha") };
    assert_eq!(found, [undeclared]);
    assert!(found[0].to_string().contains("add alpha to requires()"));
}

#[test]
fn a_module_may_react_to_its_own_event() {
    let alpha = TestModule::new("alpha").registers(|registrar| {
        registrar.event::<Counted>();
        registrar.subscribe("note", on::<Counted>);
    });
    assert_eq!(violations(vec![alpha]), []);
}

#[test]
fn events_and_kinds_begin_with_the_name_of_their_module() {
    let beta = TestModule::new("beta").registers(|registrar| {
        registrar.event::<Counted>();
        registrar.job::<Strange>(run::<Strange>);
    });
    let foreign = |what, of: &str| Violation::ForeignName { module: name("beta"), what, name: of.to_owned() };
    assert_eq!(violations(vec![beta]), [foreign("event", Counted::NAME), foreign("job kind", Strange::KIND)]);
}

#[test]
fn a_kind_that_no_queue_would_take_is_told_with_the_rule() {
    let alpha = TestModule::new("alpha").registers(|registrar| registrar.job::<Hopeless>(run::<Hopeless>));
    let found = violations(vec![alpha]);
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().contains("max_attempts 0 must be 1 to 1000"), "{}", found[0]);
}

#[test]
fn a_kind_of_job_has_one_handler() {
    let alpha = TestModule::new("alpha").registers(|registrar| {
        registrar.job::<Count>(run::<Count>);
        registrar.job::<Count>(run::<Count>);
    });
    let twice = Violation::DuplicateJobKind {
        module: name("alpha"),
        kind: Count::KIND.to_owned(),
        other: name("alpha"),
    };
    assert_eq!(violations(vec![alpha]), [twice]);
}

#[test]
fn a_schedule_is_there_once_makes_known_jobs_and_has_ticks() {
    let alpha = TestModule::new("alpha").registers(|registrar| {
        registrar.job::<Count>(run::<Count>);
        registrar.schedule("nightly", Cron::new("0 2 * * *"), |_| Count);
        registrar.schedule("nightly", Cron::new("0 3 * * *"), |_| Count);
        registrar.schedule("odd", Cron::new("61 2 * * *"), |_| Count);
        registrar.schedule("nowhere", Cron::new("0 2 * * *").zone("Europe/Atlantis"), |_| Count);
        registrar.schedule("never", Cron::new("0 0 30 2 *"), |_| Count);
        registrar.schedule("foreign", Cron::new("0 2 * * *"), |_| Strange);
    });
    let found: Vec<String> = violations(vec![alpha]).iter().map(ToString::to_string).collect();
    let expected = [
        ("alpha.nightly", "is there already, at"),
        ("alpha.odd", "schedule/invalid"),
        ("alpha.nowhere", "schedule/unknown-zone"),
        ("alpha.never", "schedule/never-fires"),
        ("alpha.foreign", "elsewhere.strange, which the module does not handle"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((schedule, rule), text) in expected.iter().zip(found) {
        assert!(text.contains(schedule) && text.contains(rule), "{text}");
    }
}

/// Where this line is, `lines` lines further on.
#[track_caller]
fn line_after(lines: u32) -> String {
    let here = std::panic::Location::caller();
    format!("{}:{}:", here.file(), here.line() + lines)
}

#[test]
fn schedules_that_do_not_fit_are_told_with_the_places_where_they_are_registered() {
    let [first, second, foreign] = [line_after(2), line_after(3), line_after(4)];
    let alpha = TestModule::new("alpha").registers(|registrar| {
        registrar.schedule("strange", Cron::new("0 2 * * *"), |_| Strange);
        registrar.schedule("strange", Cron::new("0 3 * * *"), |_| Strange);
        registrar.schedule("never", Cron::new("0 0 30 2 *"), |_| Strange);
    });
    let handler = line_after(2);
    let elsewhere = TestModule::new("elsewhere").registers(|registrar| {
        registrar.job::<Strange>(run::<Strange>);
    });
    let found: Vec<String> = violations(vec![alpha, elsewhere]).iter().map(ToString::to_string).collect();
    let unknown = |at: &str| {
        let told = found.iter().any(|text| {
            text.contains(&format!(" at {at}"))
                && text.contains(&format!("elsewhere.strange, which another module handles, at {handler}"))
        });
        assert!(told, "{at} {handler}: {found:#?}");
    };
    for at in [&first, &second, &foreign] {
        unknown(at);
    }
    let twice = found.iter().any(|text| {
        text.contains(&format!("alpha.strange at {second}"))
            && text.contains(&format!("is there already, at {first}"))
    });
    assert!(twice, "{first} {second}: {found:#?}");
    let never =
        |text: &String| text.contains(&format!("alpha.never at {foreign}")) && text.contains("never-fires");
    assert!(found.iter().any(never), "{foreign}: {found:#?}");
}

#[test]
fn a_route_is_answered_once_whatever_its_parameters_are_called() {
    let alpha =
        TestModule::new("alpha").registers(|registrar| registrar.routes(routes("/things/{id}", "string")));
    let beta =
        TestModule::new("beta").registers(|registrar| registrar.routes(routes("/things/{name}", "string")));
    let found = violations(vec![alpha, beta]);
    assert!(matches!(
        &found[..],
        [Violation::DuplicateRoute { module, other, route: Route { path, .. }, .. }]
            if *module == name("beta") && *other == name("alpha") && path == "/things/{name}"
    ));
    assert!(
        found[0].to_string().contains("GET /things/{name} answers the same requests as GET /things/{id}")
    );
}

#[test]
fn a_schema_name_means_one_thing() {
    let alpha = TestModule::new("alpha").registers(|registrar| registrar.routes(routes("/a", "string")));
    let beta = TestModule::new("beta").registers(|registrar| registrar.routes(routes("/b", "integer")));
    let differs =
        Violation::DuplicateSchema { module: name("beta"), schema: "Thing".to_owned(), other: name("alpha") };
    assert_eq!(violations(vec![alpha, beta]), [differs]);
}

#[test]
fn migrations_carry_the_name_of_their_module() {
    let alpha = TestModule::new("alpha").migrations(MigrationSet::none(name("beta")));
    let foreign = Violation::ForeignMigrations { module: name("alpha"), set: name("beta") };
    assert_eq!(violations(vec![alpha]), [foreign]);
}

#[test]
fn a_module_does_not_take_the_name_of_an_adapters_tables() {
    let ports = support::ports(&MemoryDatabase::new()).with_migrations(MigrationSet::none(name("alpha")));
    let found = violations_on(ports, vec![TestModule::new("alpha"), TestModule::new("beta")]);
    assert_eq!(found, [Violation::ReservedModuleName { module: name("alpha") }]);
}

#[test]
fn migrations_of_adapters_are_numbered_too() {
    const GAP: &[Migration] = &[Migration::new("0002_more", "", "")];
    let ports = support::ports(&MemoryDatabase::new()).with_migrations(MigrationSet::new(name("store"), GAP));
    assert!(matches!(&violations_on(ports, vec![])[..], [Violation::MigrationNumber { .. }]));
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    const GAP: &[Migration] = &[Migration::new("0001_things", "", ""), Migration::new("0003_more", "", "")];
    const UNNAMED: &[Migration] = &[Migration::new("0001_", "", "")];
    for (migrations, expected) in [(GAP, "0002"), (UNNAMED, "0001")] {
        let alpha = TestModule::new("alpha").migrations(MigrationSet::new(name("alpha"), migrations));
        let found = violations(vec![alpha]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains(&format!("must be named {expected}_")), "{}", found[0]);
    }
}

#[test]
fn markers_of_migrations_are_known_and_the_same_in_every_dialect() {
    const BREAKS: &str = "-- dolmen: breaks older binaries";
    for (migration, words) in [
        (
            Migration::new("0001_a", "", "-- dolmen: no transaktion"),
            ["postgres/0001_a.sql", "did you mean `no transaction`?"],
        ),
        (
            Migration::new("0001_a", "-- dolmen: no transaction", ""),
            ["sqlite/0001_a.sql", "is for PostgreSQL"],
        ),
        (
            Migration::new("0001_a", BREAKS, BREAKS).with_mysql("x"),
            ["mysql/0001_a.sql", "write it into all of them"],
        ),
    ] {
        let migrations = Box::leak(Box::new([migration]));
        let alpha = TestModule::new("alpha").migrations(MigrationSet::new(name("alpha"), migrations));
        let found = violations(vec![alpha]);
        assert_eq!(found.len(), 1, "{found:?}");
        let text = found[0].to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    let breaking = Box::leak(Box::new([Migration::new("0001_a", BREAKS, BREAKS)]));
    let alpha = TestModule::new("alpha").migrations(MigrationSet::new(name("alpha"), breaking));
    assert_eq!(violations(vec![alpha]), []);
}

#[test]
fn database_and_queue_have_one_backend() {
    let found = violations_on(support::mismatched_ports(), vec![]);
    assert_eq!(found, [Violation::BackendMismatch { database: "elsewhere", queue: "memory" }]);
}

/// Ports that break the rules that ports can break.
fn broken_ports() -> AppPorts {
    support::mismatched_ports().with_migrations(MigrationSet::none(name("Alpha")))
}

/// Modules that break, on `broken_ports`, every rule there is.
fn broken_modules() -> Vec<TestModule> {
    const GAP: &[Migration] = &[Migration::new("0002_more", "-- dolmen: no", "")];
    let broken = TestModule::new("Alpha")
        .requires(const { &[name("Alpha"), name("missing")] })
        .migrations(MigrationSet::new(name("other"), GAP))
        .registers(|registrar| {
            registrar.event::<Counted>();
            registrar.event::<Counted>();
            registrar.job::<Count>(run::<Count>);
            registrar.job::<Count>(run::<Count>);
            registrar.job::<Hopeless>(run::<Hopeless>);
            registrar.schedule("nightly", Cron::new("x"), |_| Strange);
            registrar.schedule("nightly", Cron::new("0 2 * * *"), |_| Count);
            registrar.routes(routes("/things/{id}", "string"));
            registrar.routes(routes("/things/{name}", "integer"));
        });
    let subscriber = || {
        TestModule::new("beta").registers(|registrar| {
            registrar.subscribe("note", on::<Counted>);
            registrar.subscribe("miss", on::<Unowned>);
        })
    };
    vec![broken, subscriber(), subscriber()]
}

#[derive(Serialize, Deserialize)]
struct Unowned;

impl Event for Unowned {
    const NAME: &'static str = "gamma.unowned.v1";
}

/// A number for every kind of violation; 20 for one that `broken_modules` does not know yet.
fn kind_number(violation: &Violation) -> usize {
    match violation {
        Violation::InvalidModuleName { .. } => 0,
        Violation::DuplicateModule { .. } => 1,
        Violation::UnknownRequirement { .. } => 2,
        Violation::CyclicRequirement { .. } => 3,
        Violation::EventWithoutOwner { .. } => 4,
        Violation::EventOwnedTwice { .. } => 5,
        Violation::UndeclaredDependency { .. } => 6,
        Violation::ForeignName { .. } => 7,
        Violation::UnusableJob { .. } => 8,
        Violation::DuplicateJobKind { .. } => 9,
        Violation::DuplicateSchedule { .. } => 10,
        Violation::UnknownScheduledJob { .. } => 11,
        Violation::UnusableCron { .. } => 12,
        Violation::DuplicateRoute { .. } => 13,
        Violation::DuplicateSchema { .. } => 14,
        Violation::ForeignMigrations { .. } => 15,
        Violation::MigrationNumber { .. } => 16,
        Violation::BackendMismatch { .. } => 17,
        Violation::ReservedModuleName { .. } => 18,
        Violation::MigrationMarker { .. } => 19,
        _ => 20,
    }
}

#[test]
fn all_kinds_of_violation_are_reported_in_one_run() {
    let found = violations_on(broken_ports(), broken_modules());
    let mut kinds: Vec<usize> = found.iter().map(kind_number).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..=19).collect::<Vec<_>>(), "{found:#?}");
}

#[test]
fn the_error_lists_every_violation_with_its_module() {
    let builder = broken_modules().into_iter().fold(App::builder(broken_ports()), dolmen::AppBuilder::module);
    let error = builder.build().verify().unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), error.violations().len() + 1);
    let told = |line: &str| line.starts_with("- module ") || line.starts_with("- application: ");
    assert!(text.lines().skip(1).all(told), "{text}");
}
