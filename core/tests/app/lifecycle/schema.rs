use std::time::Duration;

use dolmen::ports::Migration;
use dolmen::{App, Environment, HealthState, MigrationSet, ModuleName, Phase, Role, Roles, SchemaState};
use dolmen_testkit::fakes::MemoryDatabase;

use super::scene::{Diarist, Journal, Runner, Running, settings, web};
use crate::support::{self, TestModule};

const MIGRATIONS: &[Migration] =
    &[Migration::new("0001_things", "", ""), Migration::new("0002_more", "", "")];

fn app(database: &MemoryDatabase, journal: &Journal, environment: Environment) -> App {
    let alpha = TestModule::new("alpha").migrations(MigrationSet::new(ModuleName::new("alpha"), MIGRATIONS));
    let mut settings = settings();
    settings.environment = environment;
    App::builder(support::ports(database))
        .settings(settings)
        .module(alpha)
        .module(Diarist::new("beta", journal))
        .runner(Runner::obedient(Role::Web, "web", journal))
        .build()
}

async fn pending(database: &MemoryDatabase) -> usize {
    let set = MigrationSet::new(ModuleName::new("alpha"), MIGRATIONS);
    database.database().pending_migrations(&[set]).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn without_its_schema_a_role_waits_and_says_what_is_missing() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let running = Running::begin(app(&database, &journal, Environment::Production), web());
    while running.operations.info().schema == SchemaState::Unknown {
        tokio::task::yield_now().await;
    }
    let (state, detail) = running.check("schema").await;
    assert_eq!(state, HealthState::Down);
    let versions = "schema of alpha is at no version, need 0002_more";
    for word in ["db/not-migrated", "2 pending", versions, "run role migrate"] {
        assert!(detail.contains(word), "{detail} should say {word}");
    }
    assert!(!running.operations.readiness().await.ready);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(journal.entries(), Vec::<String>::new(), "no module starts without its schema");

    let set = MigrationSet::new(ModuleName::new("alpha"), MIGRATIONS);
    database.database().migrate(&[set]).await.unwrap();
    running.until(Phase::Ready).await;
    assert_eq!(running.check("schema").await.0, HealthState::Ok);
    assert_eq!(journal.entries(), ["beta starts", "web serves"]);
    running.signal();
    running.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn on_a_newer_schema_that_breaks_it_a_role_waits_and_says_what_to_run() {
    const NEWER: &[Migration] = &[
        Migration::new("0001_things", "", ""),
        Migration::new("0002_more", "", ""),
        Migration::new("0003_renamed", "-- dolmen: breaks older binaries", ""),
    ];
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let set = MigrationSet::new(ModuleName::new("alpha"), NEWER);
    database.database().migrate(&[set]).await.unwrap();
    let running = Running::begin(app(&database, &journal, Environment::Production), web());
    while running.operations.info().schema == SchemaState::Unknown {
        tokio::task::yield_now().await;
    }
    let (state, detail) = running.check("schema").await;
    assert_eq!(state, HealthState::Down);
    assert!(detail.contains("migrate/schema-newer: alpha/0003_renamed"), "{detail}");
    assert!(matches!(running.operations.info().schema, SchemaState::Incompatible { .. }));
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(journal.entries(), Vec::<String>::new(), "no module starts on a schema that breaks it");
    running.signal();
    running.end().await.unwrap();
}

#[tokio::test]
async fn outside_production_a_newer_schema_that_breaks_it_ends_the_process() {
    const NEWER: &[Migration] = &[
        Migration::new("0001_things", "", ""),
        Migration::new("0002_more", "", ""),
        Migration::new("0003_renamed", "-- dolmen: breaks older binaries", ""),
    ];
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let set = MigrationSet::new(ModuleName::new("alpha"), NEWER);
    database.database().migrate(&[set]).await.unwrap();
    let running = Running::begin(app(&database, &journal, Environment::Development), web());
    let error = running.end().await.unwrap_err();
    assert!(dolmen::error_chain(&error).contains("migrate/schema-newer"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_wait_for_the_schema() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let running = Running::begin(app(&database, &journal, Environment::Production), web());
    tokio::time::sleep(Duration::from_secs(3)).await;
    running.signal();
    running.end().await.unwrap();
    assert_eq!(journal.entries(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_role_migrate_applies_the_schema_and_ends() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let app = app(&database, &journal, Environment::Production);
    let operations = app.operations().clone();
    Running::begin(app, Roles::of(&[Role::Migrate])).end().await.unwrap();
    assert_eq!(operations.info().schema, SchemaState::UpToDate);
    assert_eq!(journal.entries(), Vec::<String>::new(), "nothing else runs");
}

#[tokio::test]
async fn whoever_starts_first_migrates_outside_production() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let running = Running::ready(app(&database, &journal, Environment::Development), web()).await;
    assert_eq!(pending(&database).await, 0);
    assert_eq!(running.operations.info().schema, SchemaState::UpToDate);
    running.signal();
    running.signal();
    running.end().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn all_roles_wait_for_the_role_migrate_in_production() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    let running = Running::begin(app(&database, &journal, Environment::Production), Roles::all());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(pending(&database).await, 2);
    assert_eq!(running.operations.info().phase, Phase::Starting);
    running.signal();
    running.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_database_that_cannot_be_asked_is_waited_for() {
    let (database, journal) = (MemoryDatabase::new(), Journal::default());
    database.database().close().await;
    let running = Running::begin(app(&database, &journal, Environment::Production), web());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(matches!(running.operations.info().schema, SchemaState::Unavailable { .. }));
    running.signal();
    running.end().await.unwrap();
}
