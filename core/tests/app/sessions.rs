//! Sessions: what the caller gets, what the table keeps, and when a token is refused.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen::ports::DatabaseDriver;
use dolmen::{
    Authenticator, Credentials, ErrorKind, OpenedSession, PortError, PortResult, Principal, Randomness,
    ReadTx, Secret, Session, SessionAuthenticator, SessionStore, Sessions, TenantId, Timestamp, TokenHash,
    UserId, Uuid, WriteTx,
};
use dolmen_testkit::fakes::{MemoryDatabase, MemorySessionStore};

/// Bytes that a test can predict.
#[derive(Debug)]
struct Sevens;

impl Randomness for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> PortResult<()> {
        bytes.fill(7);
        Ok(())
    }
}

#[derive(Debug)]
struct Exhausted;

impl Randomness for Exhausted {
    fn fill(&self, _: &mut [u8]) -> PortResult<()> {
        Err(PortError::new(ErrorKind::Unavailable, "randomness", "fill"))
    }
}

struct Scene {
    database: MemoryDatabase,
    store: Arc<dyn SessionStore>,
    sessions: Sessions,
    authenticator: SessionAuthenticator,
}

const HOUR: Duration = Duration::from_hours(1);

fn principal() -> Principal {
    Principal::new(UserId::new(Uuid::from_u128(1)), TenantId::new(Uuid::from_u128(2)), "admin")
}

fn bearer(token: &Secret<String>) -> Credentials {
    Credentials::Bearer(token.clone())
}

impl Scene {
    fn new() -> Self {
        let database = MemoryDatabase::new();
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::new());
        let clock = Arc::new(database.clock().clone());
        Self {
            sessions: Sessions::new(Arc::clone(&store), clock.clone()),
            authenticator: SessionAuthenticator::new(database.database(), Arc::clone(&store), clock),
            store,
            database,
        }
    }

    async fn open(&self, sessions: &Sessions) -> PortResult<OpenedSession> {
        let principal = principal();
        let database = self.database.database();
        database.system().write(async |tx| sessions.open(tx, &principal, HOUR).await).await
    }

    async fn refusal(&self, token: &Secret<String>) -> PortError {
        self.authenticator.authenticate(&bearer(token)).await.unwrap_err()
    }
}

#[tokio::test]
async fn an_open_session_is_its_principal_until_it_expires() {
    let scene = Scene::new();
    let opened = scene.open(&scene.sessions).await.unwrap();
    assert_eq!(scene.authenticator.authenticate(&bearer(&opened.token)).await.unwrap(), principal());
    scene.database.clock().set(opened.expires_at.minus(Duration::from_micros(1)));
    assert!(scene.authenticator.authenticate(&bearer(&opened.token)).await.is_ok());
    scene.database.clock().set(opened.expires_at);
    assert_eq!(scene.refusal(&opened.token).await.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_token_is_refused_in_the_same_words_whatever_is_wrong_with_it() {
    let scene = Scene::new();
    let expired = scene.open(&scene.sessions).await.unwrap();
    scene.database.clock().advance(2 * HOUR);
    let closed = scene.open(&scene.sessions).await.unwrap();
    let credentials = bearer(&closed.token);
    let close = async |tx: &mut WriteTx| scene.sessions.close(tx, &credentials).await;
    let database = scene.database.database();
    assert!(database.system().write(close).await.unwrap());
    assert!(!database.system().write(close).await.unwrap(), "there is none any more");
    let unknown = Secret::new("x".repeat(64));
    let empty = Secret::new(String::new());
    let mut words = Vec::new();
    for token in [&expired.token, &closed.token, &unknown, &empty] {
        let error = scene.refusal(token).await;
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        words.push(error.to_string());
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
}

#[tokio::test]
async fn tokens_are_random_url_safe_and_stored_only_as_their_hash() {
    let scene = Scene::new();
    let clock = Arc::new(scene.database.clock().clone());
    let predictable = Sessions::with_randomness(Arc::clone(&scene.store), clock, Arc::new(Sevens));
    let opened = scene.open(&predictable).await.unwrap();
    assert_eq!(opened.token.reveal(), &"07".repeat(32));
    // What `sha256sum` makes of the token's text.
    let hash = "1967c0fdaed0b8f2618d3b1f4a9f8541ed315505acc26f5a41f382da8bdd9954";
    let database = scene.database.database();
    let stored = database
        .system()
        .read(async |tx: &mut ReadTx| scene.store.find(tx, TokenHash(unhex(hash))).await)
        .await
        .unwrap();
    assert_eq!(stored.unwrap().expires_at, opened.expires_at);
    let other = scene.open(&scene.sessions).await.unwrap();
    assert_ne!(opened.token, other.token);
    assert!(!format!("{other:?}").contains(other.token.reveal()), "no log shows a token");
}

fn unhex(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    }
    bytes
}

#[tokio::test]
async fn without_randomness_no_session_opens() {
    let scene = Scene::new();
    let clock = Arc::new(scene.database.clock().clone());
    let sessions = Sessions::with_randomness(Arc::clone(&scene.store), clock, Arc::new(Exhausted));
    assert_eq!(scene.open(&sessions).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn expired_sessions_can_be_removed() {
    let scene = Scene::new();
    scene.open(&scene.sessions).await.unwrap();
    scene.database.clock().advance(2 * HOUR);
    scene.open(&scene.sessions).await.unwrap();
    let database = scene.database.database();
    let pruned = database.system().write(async |tx| scene.sessions.prune(tx, 10).await).await.unwrap();
    assert_eq!(pruned, 1);
}

/// A store whose database refuses the program's own password.
#[derive(Debug)]
struct LockedOut;

fn locked_out<T>() -> PortResult<T> {
    Err(PortError::new(ErrorKind::Unauthenticated, "database", "connect"))
}

#[async_trait]
impl SessionStore for LockedOut {
    async fn open(&self, _: &mut WriteTx, _: &Session) -> PortResult<()> {
        locked_out()
    }

    async fn find(&self, _: &mut ReadTx, _: TokenHash) -> PortResult<Option<Session>> {
        locked_out()
    }

    async fn close(&self, _: &mut WriteTx, _: TokenHash) -> PortResult<bool> {
        locked_out()
    }

    async fn prune(&self, _: &mut WriteTx, _: Timestamp, _: u32) -> PortResult<u64> {
        locked_out()
    }
}

#[tokio::test]
async fn a_failure_to_check_is_never_the_callers_fault() {
    let database = MemoryDatabase::new();
    let clock = Arc::new(database.clock().clone());
    let token = Secret::new("any".to_owned());
    let locked = SessionAuthenticator::new(database.database(), Arc::new(LockedOut), clock.clone());
    assert_eq!(locked.authenticate(&bearer(&token)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let store = Arc::new(MemorySessionStore::new());
    let authenticator = SessionAuthenticator::new(database.database(), store, clock);
    database.close().await;
    let error = authenticator.authenticate(&bearer(&token)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
