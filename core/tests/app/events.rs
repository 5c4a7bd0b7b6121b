//! Events from their publication to their subscribers.

use std::sync::{Arc, Mutex, PoisonError};

use dolmen::{
    App, ErrorKind, Event, EventPublisher, Job, JobContext, JobError, JobOutcome, MigrationSet, Module,
    ModuleName, PortError, PortResult, Registrar, Role, Roles, TenantId, Uuid,
};
use dolmen_testkit::fakes::MemoryDatabase;
use serde::{Deserialize, Serialize};

use crate::support::{self, TestModule};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Carved {
    stone: String,
}

impl Event for Carved {
    const NAME: &'static str = "quarry.carved.v1";
}

#[derive(Debug, Serialize, Deserialize)]
struct Forgotten;

impl Event for Forgotten {
    const NAME: &'static str = "quarry.forgotten.v1";
}

#[derive(Debug, Serialize, Deserialize)]
struct Stray;

impl Job for Stray {
    const KIND: &'static str = "elsewhere.stray";
}

const TENANT: TenantId = TenantId::new(Uuid::from_u128(7));

/// What subscribers saw: subscription, stone, tenant.
#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<Vec<Sight>>>);

type Sight = (&'static str, String, Option<TenantId>);

impl Seen {
    fn note(&self, who: &'static str, event: Carved, context: &JobContext) {
        let entry = (who, event.stone, context.scope().tenant());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    fn entries(&self) -> Vec<Sight> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        entries.sort();
        entries
    }
}

/// Subscribes twice to what the quarry does.
struct Yard(Seen);

impl Module for Yard {
    fn name(&self) -> ModuleName {
        ModuleName::new("yard")
    }

    fn requires(&self) -> &'static [ModuleName] {
        const { &[ModuleName::new("quarry")] }
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let seen = self.0.clone();
        registrar.subscribe::<Carved>("count", move |event, context| {
            seen.note("count", event, &context);
            std::future::ready(Ok(()))
        });
        let seen = self.0.clone();
        registrar.subscribe::<Carved>("ship", move |event: Carved, context: JobContext| {
            let result = if event.stone == "cracked" {
                Err(JobError::bury("it would break"))
            } else {
                seen.note("ship", event, &context);
                Ok(())
            };
            std::future::ready(result)
        });
    }
}

fn app(database: &MemoryDatabase, seen: &Seen) -> App {
    let quarry = TestModule::new("quarry").registers(|registrar| {
        registrar.event::<Carved>();
        registrar.event::<Lonely>();
    });
    App::builder(support::ports(database)).module(quarry).module(Yard(seen.clone())).build()
}

#[derive(Debug, Serialize, Deserialize)]
struct Lonely;

impl Event for Lonely {
    const NAME: &'static str = "quarry.lonely.v1";
}

async fn publish<E: Event>(database: &MemoryDatabase, events: &EventPublisher, event: &E) -> PortResult<()> {
    let work = async |tx: &mut dolmen::WriteTx| events.publish(tx, event).await;
    database.database().tenant(TENANT).write(work).await.map(drop)
}

fn carved(stone: &str) -> Carved {
    Carved { stone: stone.to_owned() }
}

#[tokio::test]
async fn each_subscription_gets_the_event_in_a_job_of_its_own_with_its_tenant() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    app.verify().unwrap();
    publish(&database, &app.ports().events(), &carved("menhir")).await.unwrap();
    assert!(seen.entries().is_empty(), "subscribers learn of it later");
    let runs = app.due_jobs().run().await.unwrap();
    let mut kinds: Vec<&str> = runs.iter().map(|run| run.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["yard.count", "yard.ship"]);
    let menhir = "menhir".to_owned();
    assert_eq!(seen.entries(), [("count", menhir.clone(), Some(TENANT)), ("ship", menhir, Some(TENANT))]);
}

#[tokio::test]
async fn an_event_of_a_transaction_that_rolled_back_never_happened() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    let events = app.ports().events();
    let refused: PortResult<()> = database
        .database()
        .tenant(TENANT)
        .write(async |tx| {
            events.publish(tx, &carved("menhir")).await?;
            Err(PortError::new(ErrorKind::Conflict, "test", "commit"))
        })
        .await;
    refused.unwrap_err();
    assert_eq!(app.due_jobs().run().await.unwrap(), []);
}

#[tokio::test]
async fn a_subscriber_that_fails_does_not_keep_the_others_from_it() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    publish(&database, &app.ports().events(), &carved("cracked")).await.unwrap();
    let runs = app.due_jobs().run().await.unwrap();
    let outcome = |kind: &str| runs.iter().find(|run| run.kind == kind).map(|run| run.outcome);
    assert_eq!(outcome("yard.count"), Some(JobOutcome::Done));
    assert_eq!(outcome("yard.ship"), Some(JobOutcome::Dead));
    let jobs = app.operations().jobs().await.unwrap();
    assert_eq!((jobs.depth, jobs.dead), (0, 1));
}

#[tokio::test]
async fn an_event_that_nobody_awaits_costs_nothing_and_one_that_nobody_owns_is_refused() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    let events = app.ports().events();
    publish(&database, &events, &Lonely).await.unwrap();
    assert_eq!(app.operations().jobs().await.unwrap().kinds, []);
    let error = publish(&database, &events, &Forgotten).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("registrar.event"), "{error}");
}

#[tokio::test]
async fn nothing_is_published_before_the_application_is_built() {
    let database = MemoryDatabase::new();
    let events = support::ports(&database).events();
    let error = publish(&database, &events, &carved("early")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn kinds_that_nobody_handles_are_left_alone_and_told() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    let jobs = app.ports().jobs();
    let enqueue = async |tx: &mut dolmen::WriteTx| jobs.enqueue(tx, &Stray).await;
    database.database().system().write(enqueue).await.unwrap();
    assert_eq!(app.due_jobs().run().await.unwrap(), []);
    let report = app.operations().jobs().await.unwrap();
    assert_eq!((report.depth, report.unknown_kinds), (1, vec![Stray::KIND.to_owned()]));
}

#[tokio::test]
async fn a_worker_of_the_application_delivers_and_ends_with_it() {
    let (database, seen) = (MemoryDatabase::new(), Seen::default());
    let app = app(&database, &seen);
    publish(&database, &app.ports().events(), &carved("menhir")).await.unwrap();
    let watched = seen.clone();
    let delivered = async move {
        while watched.entries().len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let run = app.run_until(Roles::of(&[Role::Worker]), delivered);
    tokio::time::timeout(std::time::Duration::from_secs(30), run).await.unwrap().unwrap();
}
