//! What a worker removes because its time is over.

use std::sync::Arc;
use std::time::Duration;

use dolmen::config::Env;
use dolmen::{
    Inbox, InboxKey, InboxState, JobState, PortResult, Principal, ReadTx, Session, SessionStore, TenantId,
    TokenHash, UserId, Uuid, WorkerSettings, WriteTx,
};
use dolmen_testkit::fakes::{MemoryInbox, MemorySessionStore};

use crate::support::{Fixture, Work, quick, until};

const DAY: Duration = Duration::from_hours(24);

/// Fakes with an inbox.
fn with_inbox() -> (Fixture, Arc<dyn Inbox>) {
    let mut fixture = Fixture::new();
    let inbox: Arc<dyn Inbox> = Arc::new(MemoryInbox::new(&fixture.memory));
    fixture.ports = fixture.ports.clone().with_inbox(Arc::clone(&inbox));
    (fixture, inbox)
}

async fn claim(fixture: &Fixture, inbox: &Arc<dyn Inbox>, key: &str) -> InboxState {
    let key = InboxKey::new("tests", key);
    let database = fixture.ports.database().system();
    database.write(async |tx: &mut WriteTx| inbox.claim(tx, &key, [0; 32]).await).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn finished_jobs_handled_keys_and_ended_sessions_go_and_the_rest_stays() {
    let (mut fixture, inbox) = with_inbox();
    let sessions: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::new());
    fixture.ports = fixture.ports.clone().with_sessions(Arc::clone(&sessions));
    let principal = Principal::new(UserId::new(Uuid::nil()), TenantId::new(Uuid::nil()), "admin");
    let session = |token: u8, days: u32| {
        Session::new(TokenHash([token; 32]), principal.clone(), fixture.ports.clock().now().plus(DAY * days))
    };
    let (short, long) = (session(1, 1), session(2, 30));
    let stored: PortResult<()> = fixture
        .ports
        .database()
        .system()
        .write(async |tx: &mut WriteTx| {
            sessions.open(tx, &short).await?;
            sessions.open(tx, &long).await
        })
        .await;
    stored.unwrap();
    assert_eq!(claim(&fixture, &inbox, "old").await, InboxState::New);

    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_prune_every(Duration::from_secs(1)));
    let job = fixture.enqueue(&Work).await;
    fixture.until_state(job, JobState::Done).await;
    fixture.clock.advance(DAY * 8);
    assert_eq!(claim(&fixture, &inbox, "young").await, InboxState::New);

    let is_open = async |session: &Session| -> bool {
        let found: PortResult<_> = fixture
            .ports
            .database()
            .system()
            .read(async |tx: &mut ReadTx| sessions.find(tx, session.token).await)
            .await;
        found.unwrap().is_some()
    };
    until("the ended session to go", async || !is_open(&short).await).await;
    assert!(is_open(&long).await);
    until("the old key to be free again", async || claim(&fixture, &inbox, "old").await == InboxState::New)
        .await;
    assert!(matches!(claim(&fixture, &inbox, "young").await, InboxState::Done { .. }));
    worker.end().await;
}

#[tokio::test(start_paused = true)]
async fn handled_keys_stay_for_their_own_time_however_soon_jobs_go() {
    let (fixture, inbox) = with_inbox();
    assert_eq!(claim(&fixture, &inbox, "key").await, InboxState::New);
    let settings = quick().with_prune_every(Duration::from_secs(1)).with_retention(Duration::from_secs(1));
    let worker = fixture.start(async |_: Work, _| Ok(()), settings);
    let job = fixture.enqueue(&Work).await;
    fixture.until_state(job, JobState::Done).await;
    fixture.clock.advance(DAY * 7);
    until("the finished job to go", async || fixture.find(job).await.is_none()).await;
    // The removal after the one that took the job has also looked at the keys.
    let prunes = fixture.prunes();
    until("two more removals", async || fixture.prunes() >= prunes + 2).await;
    assert!(matches!(claim(&fixture, &inbox, "key").await, InboxState::Done { .. }));
    fixture.clock.advance(Duration::from_secs(1));
    until("the old key to go", async || claim(&fixture, &inbox, "key").await == InboxState::New).await;
    worker.end().await;
}

#[test]
fn the_time_of_keys_is_set_apart_from_that_of_jobs_and_never_less_than_an_hour() {
    let load = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut env = Env::from_pairs(Env::DEFAULT_PREFIX, pairs);
        let settings = WorkerSettings::load(&mut env);
        env.finish_with(Some(settings)).map_err(|problems| problems.to_string())
    };
    let settings = load(&[("APP_WORKER_RETENTION", "1h")]).unwrap();
    assert_eq!((settings.retention(), settings.inbox_retention()), (DAY / 24, DAY * 7));
    let settings = load(&[("APP_INBOX_RETENTION", "30d")]).unwrap();
    assert_eq!((settings.retention(), settings.inbox_retention()), (DAY * 7, DAY * 30));
    let refused = load(&[("APP_INBOX_RETENTION", "59m")]).unwrap_err();
    assert!(refused.contains("APP_INBOX_RETENTION") && refused.contains("1h"), "{refused}");
}
