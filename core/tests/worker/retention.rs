//! What a worker removes because its time is over.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    Inbox, InboxKey, InboxState, JobState, PortResult, Principal, ReadTx, Session, SessionStore, TenantId,
    TokenHash, UserId, Uuid, WriteTx,
};
use dolmen_testkit::fakes::{MemoryInbox, MemorySessionStore};

use crate::support::{Fixture, Work, quick, until};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test(start_paused = true)]
async fn finished_jobs_handled_keys_and_ended_sessions_go_and_the_rest_stays() {
    let mut fixture = Fixture::new();
    let inbox: Arc<dyn Inbox> = Arc::new(MemoryInbox::new(&fixture.memory));
    let sessions: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::new());
    fixture.ports = fixture.ports.clone().with_inbox(Arc::clone(&inbox)).with_sessions(Arc::clone(&sessions));
    let principal = Principal::new(UserId::new(Uuid::nil()), TenantId::new(Uuid::nil()), "admin");
    let session = |token: u8, days: u32| {
        Session::new(TokenHash([token; 32]), principal.clone(), fixture.ports.clock().now().plus(DAY * days))
    };
    let (short, long) = (session(1, 1), session(2, 30));
    let claim = async |key: &str| -> PortResult<InboxState> {
        let key = InboxKey::new("tests", key);
        fixture
            .ports
            .database()
            .system()
            .write(async |tx: &mut WriteTx| inbox.claim(tx, &key, [0; 32]).await)
            .await
    };
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
    assert_eq!(claim("old").await.unwrap(), InboxState::New);

    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_prune_every(Duration::from_secs(1)));
    let job = fixture.enqueue(&Work).await;
    fixture.until_state(job, JobState::Done).await;
    fixture.clock.advance(DAY * 8);
    assert_eq!(claim("young").await.unwrap(), InboxState::New);

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
    until("the old key to be free again", async || claim("old").await.unwrap() == InboxState::New).await;
    assert!(matches!(claim("young").await.unwrap(), InboxState::Done { .. }));
    worker.end().await;
}
