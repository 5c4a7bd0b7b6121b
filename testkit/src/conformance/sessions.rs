//! The suite of the session store: rules `SE-1` to `SE-3`.
//!
//! Its harness is written as the one of [`schedules`](super::schedules).

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    PortResult, Principal, Session, SessionStore, TenantId, Timestamp, TokenHash, UserId, Uuid,
};

use super::failure::{CaseResult, ensure, ensure_eq};
use super::harness::TransactionHarness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the session suite a store.
pub trait SessionsHarness: TransactionHarness {
    /// The store, in the transactions of the harness's database.
    fn sessions(&self) -> Arc<dyn SessionStore>;
}

cases_of!(dyn SessionsHarness, suite());

pub(super) fn suite() -> Suite<dyn SessionsHarness> {
    add_cases!(Suite::new("sessions"),
        "SE-1": an_opened_session_is_found,
        "SE-1": a_session_that_is_rolled_back_was_not_opened,
        "SE-1": a_close_that_is_rolled_back_leaves_the_session_open,
        "SE-2": a_session_is_found_whatever_its_expiry,
        "SE-3": a_closed_session_is_not_found_and_closes_once,
        "SE-3": prune_removes_ended_sessions_up_to_its_limit,
    )
}

type H = Arc<dyn SessionsHarness>;

const NOON: Timestamp = Timestamp::from_unix_micros(1_790_000_000_000_007);

/// Session number `number`; its token differs from the next one's in the last byte only.
fn session(number: u8, expires_at: Timestamp) -> Session {
    let mut token = [0xff; 32];
    token[31] = number;
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    let principal = Principal::new(UserId::new(id(1)), TenantId::new(id(2)), "Admin & Büro");
    Session::new(TokenHash(token), principal, expires_at)
}

async fn open(harness: &H, session: &Session) -> PortResult<()> {
    let store = harness.sessions();
    harness.database().system().write(async |tx| store.open(tx, session).await).await
}

async fn find(harness: &H, token: TokenHash) -> PortResult<Option<Session>> {
    let store = harness.sessions();
    harness.database().system().read(async |tx| store.find(tx, token).await).await
}

async fn close(harness: &H, token: TokenHash) -> PortResult<bool> {
    let store = harness.sessions();
    harness.database().system().write(async |tx| store.close(tx, token).await).await
}

async fn an_opened_session_is_found(harness: H) -> CaseResult {
    let (first, second, absent) = (session(1, NOON), session(2, NOON), session(3, NOON));
    open(&harness, &first).await?;
    open(&harness, &second).await?;
    ensure_eq!(find(&harness, first.token).await?, Some(first), "the first session");
    ensure_eq!(find(&harness, second.token).await?, Some(second), "the second session");
    ensure_eq!(find(&harness, absent.token).await?, None, "a session that was not opened");
    Ok(())
}

async fn a_session_that_is_rolled_back_was_not_opened(harness: H) -> CaseResult {
    let session = session(1, NOON);
    let mut tx = harness.database().system().begin().await?;
    harness.sessions().open(&mut tx, &session).await?;
    ensure!(harness.sessions().find(&mut tx, session.token).await?.is_some(), "it is not seen by its own tx");
    tx.rollback().await?;
    ensure_eq!(find(&harness, session.token).await?, None, "the session after the rollback");
    Ok(())
}

async fn a_close_that_is_rolled_back_leaves_the_session_open(harness: H) -> CaseResult {
    let session = session(1, NOON);
    open(&harness, &session).await?;
    let mut tx = harness.database().system().begin().await?;
    ensure!(harness.sessions().close(&mut tx, session.token).await?, "there should be a session to close");
    tx.rollback().await?;
    ensure_eq!(find(&harness, session.token).await?, Some(session), "the session after the rollback");
    Ok(())
}

async fn a_session_is_found_whatever_its_expiry(harness: H) -> CaseResult {
    for (number, expires_at) in (1..).zip([Timestamp::MIN, Timestamp::UNIX_EPOCH, NOON, Timestamp::MAX]) {
        let session = session(number, expires_at);
        open(&harness, &session).await?;
        ensure_eq!(find(&harness, session.token).await?, Some(session), "the session until {expires_at}");
    }
    Ok(())
}

async fn a_closed_session_is_not_found_and_closes_once(harness: H) -> CaseResult {
    let (first, second) = (session(1, NOON), session(2, NOON));
    open(&harness, &first).await?;
    open(&harness, &second).await?;
    ensure!(close(&harness, first.token).await?, "the first close should find it");
    ensure!(!close(&harness, first.token).await?, "the second close should find nothing");
    ensure_eq!(find(&harness, first.token).await?, None, "the closed session");
    ensure_eq!(find(&harness, second.token).await?, Some(second), "the other session");
    Ok(())
}

async fn prune_removes_ended_sessions_up_to_its_limit(harness: H) -> CaseResult {
    for number in 0..5 {
        open(&harness, &session(number, NOON)).await?;
    }
    let later = session(9, NOON.plus(Duration::from_micros(1)));
    open(&harness, &later).await?;
    let store = harness.sessions();
    let prune = async |before, limit| {
        harness.database().system().write(async |tx| store.prune(tx, before, limit).await).await
    };
    ensure_eq!(prune(NOON, 100).await?, 0, "sessions that ended before the instant at which five end");
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(prune(later.expires_at, 2).await?);
    }
    ensure_eq!(sizes, [2, 2, 1, 0], "sessions of each call");
    ensure_eq!(find(&harness, later.token).await?, Some(later), "the session that ends later");
    Ok(())
}
