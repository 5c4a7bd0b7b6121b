//! The suite of the inbox: rules `IB-1` to `IB-3`.
//!
//! Its harness is written as the one of [`schedules`](super::schedules).

use std::sync::Arc;

use dolmen_ports::{
    ErrorKind, Inbox, InboxKey, InboxState, PortError, PortResult, Scope, TenantId, Timestamp, Uuid, WriteTx,
};
use tokio::task::JoinSet;

use super::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use super::harness::TransactionHarness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the inbox suite an inbox.
pub trait InboxHarness: TransactionHarness {
    /// The inbox, in the transactions of the harness's database.
    fn inbox(&self) -> Arc<dyn Inbox>;
}

cases_of!(dyn InboxHarness, suite());

pub(super) fn suite() -> Suite<dyn InboxHarness> {
    add_cases!(Suite::new("inbox"),
        "IB-1": the_first_claim_is_new_and_the_next_one_done,
        "IB-1": of_concurrent_claims_one_is_new_and_all_end_alike,
        "IB-1": a_claim_does_not_believe_in_one_that_is_rolled_back,
        "IB-1": keys_belong_to_their_consumer_and_scope,
        "IB-1": keys_are_compared_exactly,
        "IB-2": an_outcome_that_is_rolled_back_is_not_there,
        "IB-2": outcomes_come_back_byte_by_byte,
        "IB-3": a_key_that_breaks_the_rule_is_refused,
        "IB-3": keys_at_their_limits_are_taken,
        "IB-2": prune_forgets_old_keys_up_to_its_limit,
    )
}

type H = Arc<dyn InboxHarness>;

const PRINT: [u8; 32] = [7; 32];

fn key(text: &str) -> InboxKey {
    InboxKey::new("suite.create_order", text)
}

fn done(outcome: &[u8]) -> InboxState {
    InboxState::Done { fingerprint: PRINT, outcome: outcome.to_vec() }
}

/// Claims a key and records the outcome if it is new, in one transaction; returns what the claim told.
async fn handle(harness: &H, scope: Scope, key: &InboxKey, outcome: &[u8]) -> PortResult<InboxState> {
    let inbox = harness.inbox();
    let work = async |tx: &mut WriteTx| {
        let state = inbox.claim(tx, key, PRINT).await?;
        if state == InboxState::New {
            inbox.record(tx, key, outcome).await?;
        }
        PortResult::Ok(state)
    };
    harness.database().scope(scope).write(work).await
}

async fn the_first_claim_is_new_and_the_next_one_done(harness: H) -> CaseResult {
    let first = handle(&harness, Scope::System, &key("k"), b"order 1").await?;
    ensure_eq!(first, InboxState::New, "the first claim");
    let inbox = harness.inbox();
    let other_print = async |tx: &mut WriteTx| inbox.claim(tx, &key("k"), [8; 32]).await;
    let second = harness.database().system().write(other_print).await?;
    ensure_eq!(second, done(b"order 1"), "the second claim, which tells the first one's fingerprint");
    Ok(())
}

async fn of_concurrent_claims_one_is_new_and_all_end_alike(harness: H) -> CaseResult {
    for round in 0..5 {
        let mut tasks = JoinSet::new();
        for number in 0..6_u8 {
            let (harness, key) = (Arc::clone(&harness), key(&format!("round {round}")));
            tasks.spawn(async move { (number, handle(&harness, Scope::System, &key, &[number]).await) });
        }
        let (mut new, mut told) = (Vec::new(), Vec::new());
        for (number, state) in tasks.join_all().await {
            match state? {
                InboxState::New => new.push(number),
                state => told.push(state),
            }
        }
        ensure_eq!(new.len(), 1, "claims that were new in round {round}");
        ensure_eq!(told, vec![done(&new); 5], "what all other claims told in round {round}");
    }
    Ok(())
}

async fn a_claim_does_not_believe_in_one_that_is_rolled_back(harness: H) -> CaseResult {
    let inbox = harness.inbox();
    let mut tx = harness.database().system().begin().await?;
    ensure_eq!(inbox.claim(&mut tx, &key("k"), PRINT).await?, InboxState::New, "the first claim");
    let mut second = JoinSet::new();
    let task_harness = Arc::clone(&harness);
    second.spawn(async move { handle(&task_harness, Scope::System, &key("k"), b"second").await });
    tokio::task::yield_now().await;
    inbox.record(&mut tx, &key("k"), b"first").await?;
    tx.rollback().await?;
    let state = second.join_next().await.transpose()?.transpose()?;
    ensure_eq!(state, Some(InboxState::New), "the second claim");
    let third = handle(&harness, Scope::System, &key("k"), b"third").await?;
    ensure_eq!(third, done(b"second"), "the third claim");
    Ok(())
}

async fn keys_belong_to_their_consumer_and_scope(harness: H) -> CaseResult {
    let tenants = [1, 2].map(|number| Scope::Tenant(TenantId::new(Uuid::from_u128(number))));
    let [one, other] = tenants;
    for (scope, key) in [
        (one, key("k")),
        (other, key("k")),
        (Scope::System, key("k")),
        (one, InboxKey::new("suite.cancel_order", "k")),
    ] {
        let state = handle(&harness, scope, &key, b"outcome").await?;
        ensure_eq!(state, InboxState::New, "the first claim of {key:?} in the scope of {scope}");
    }
    ensure_eq!(handle(&harness, one, &key("k"), b"").await?, done(b"outcome"), "the second claim");
    Ok(())
}

async fn keys_are_compared_exactly(harness: H) -> CaseResult {
    for text in ["a", "A", "a ", " a", "a%", "a_", "'; --", "\\"] {
        let state = handle(&harness, Scope::System, &key(text), text.as_bytes()).await?;
        ensure_eq!(state, InboxState::New, "the first claim of {text:?}");
        let state = handle(&harness, Scope::System, &key(text), b"").await?;
        ensure_eq!(state, done(text.as_bytes()), "the second claim of {text:?}");
    }
    Ok(())
}

async fn an_outcome_that_is_rolled_back_is_not_there(harness: H) -> CaseResult {
    let inbox = harness.inbox();
    let refused: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            inbox.claim(tx, &key("k"), PRINT).await?;
            inbox.record(tx, &key("k"), b"first").await?;
            Err(PortError::new(ErrorKind::Conflict, "suite", "go on"))
        })
        .await;
    ensure_kind!(refused, ErrorKind::Conflict, "the closure's own error");
    let state = handle(&harness, Scope::System, &key("k"), b"second").await?;
    ensure_eq!(state, InboxState::New, "the claim after the rollback");
    Ok(())
}

async fn outcomes_come_back_byte_by_byte(harness: H) -> CaseResult {
    let long: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
    for (name, outcome) in [("empty", Vec::new()), ("bytes", (0..=255).collect()), ("long", long)] {
        handle(&harness, Scope::System, &key(name), &outcome).await?;
        let state = handle(&harness, Scope::System, &key(name), b"other").await?;
        ensure!(state == done(&outcome), "the {name} outcome differs");
    }
    Ok(())
}

async fn a_key_that_breaks_the_rule_is_refused(harness: H) -> CaseResult {
    for text in ["", "a\nb", "a\0", "clé", "🪨", &"k".repeat(256)] {
        let state = handle(&harness, Scope::System, &key(text), b"outcome").await;
        ensure_kind!(state, ErrorKind::InvalidInput, "the key {text:?}");
    }
    let pruned = prune(&harness, Timestamp::MAX, 100).await?;
    ensure_eq!(pruned, 0, "keys that were stored");
    Ok(())
}

async fn keys_at_their_limits_are_taken(harness: H) -> CaseResult {
    for text in ["k", &"k".repeat(255), "!\"#$%&'()*+,-./0:;<=>?@A[\\]^_`a{|}~"] {
        let state = handle(&harness, Scope::System, &key(text), b"outcome").await?;
        ensure_eq!(state, InboxState::New, "the key {text:?}");
    }
    Ok(())
}

async fn prune(harness: &H, before: Timestamp, limit: u32) -> PortResult<u64> {
    let inbox = harness.inbox();
    harness.database().system().write(async |tx| inbox.prune(tx, before, limit).await).await
}

async fn prune_forgets_old_keys_up_to_its_limit(harness: H) -> CaseResult {
    for number in 0..5 {
        handle(&harness, Scope::System, &key(&format!("k{number}")), b"outcome").await?;
    }
    ensure_eq!(prune(&harness, Timestamp::MIN, 100).await?, 0, "keys from before the first instant");
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(prune(&harness, Timestamp::MAX, 2).await?);
    }
    ensure_eq!(sizes, [2, 2, 1, 0], "keys of each call");
    let state = handle(&harness, Scope::System, &key("k1"), b"again").await?;
    ensure_eq!(state, InboxState::New, "the claim of a forgotten key");
    Ok(())
}
