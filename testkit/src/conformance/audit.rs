//! The suite of the audit log: rules `AL-1` to `AL-3`.
//!
//! Its harness is written as the one of [`schedules`](super::schedules).

use std::sync::Arc;

use dolmen_ports::{
    Actor, AuditEntry, AuditLog, ErrorKind, PortResult, Scope, TenantId, Timestamp, UserId, Uuid,
};

use super::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use super::harness::TransactionHarness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the audit suite a log.
pub trait AuditHarness: TransactionHarness {
    /// The log, in the transactions of the harness's database.
    fn audit(&self) -> Arc<dyn AuditLog>;
}

cases_of!(dyn AuditHarness, suite());

pub(super) fn suite() -> Suite<dyn AuditHarness> {
    add_cases!(Suite::new("audit"),
        "AL-1": a_recorded_entry_is_listed_as_it_was,
        "AL-1": an_entry_that_is_rolled_back_was_not_recorded,
        "AL-2": an_entry_cannot_be_recorded_again_with_other_content,
        "AL-3": a_tenant_sees_its_own_entries_only,
        "AL-3": a_list_shows_the_newest_first_page_by_page,
    )
}

type H = Arc<dyn AuditHarness>;

fn tenant(number: u128) -> Scope {
    Scope::Tenant(TenantId::new(Uuid::from_u128(0x0198_7e4a_0000_7000_8000_0000_0000_0000 + number)))
}

/// Entry number `number`; ids and instants ascend with it.
fn entry(number: u32) -> AuditEntry {
    let id = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + u128::from(number));
    let at = Timestamp::from_unix_micros(1_790_000_000_000_007 + i64::from(number));
    let user = UserId::new(Uuid::from_u128(9));
    AuditEntry::new(id, at, Actor::User(user), "suite.place_order", format!("order/{number}"))
}

async fn record(harness: &H, scope: Scope, entry: &AuditEntry) -> PortResult<()> {
    let log = harness.audit();
    harness.database().scope(scope).write(async |tx| log.record(tx, entry).await).await
}

async fn list(harness: &H, scope: Scope, before: Option<Uuid>, limit: u32) -> PortResult<Vec<AuditEntry>> {
    let log = harness.audit();
    harness.database().scope(scope).read(async |tx| log.list(tx, before, limit).await).await
}

async fn a_recorded_entry_is_listed_as_it_was(harness: H) -> CaseResult {
    let (mut by_system, by_user) = (entry(1), entry(2));
    by_system.actor = Actor::System;
    "Bestellung/„ü“ 🪨".clone_into(&mut by_system.target);
    record(&harness, tenant(1), &by_system).await?;
    record(&harness, tenant(1), &by_user).await?;
    ensure_eq!(list(&harness, tenant(1), None, 10).await?, [by_user, by_system], "the entries");
    Ok(())
}

async fn an_entry_that_is_rolled_back_was_not_recorded(harness: H) -> CaseResult {
    let mut tx = harness.database().scope(tenant(1)).begin().await?;
    harness.audit().record(&mut tx, &entry(1)).await?;
    ensure_eq!(harness.audit().list(&mut tx, None, 10).await?.len(), 1, "entries that its transaction sees");
    tx.rollback().await?;
    ensure_eq!(list(&harness, tenant(1), None, 10).await?, [], "the entries after the rollback");
    Ok(())
}

async fn an_entry_cannot_be_recorded_again_with_other_content(harness: H) -> CaseResult {
    record(&harness, tenant(1), &entry(1)).await?;
    let mut forged = entry(1);
    "suite.do_nothing".clone_into(&mut forged.action);
    ensure_kind!(record(&harness, tenant(1), &forged).await, ErrorKind::AlreadyExists, "the same entry");
    ensure_eq!(list(&harness, tenant(1), None, 10).await?, [entry(1)], "the entries");
    Ok(())
}

async fn a_tenant_sees_its_own_entries_only(harness: H) -> CaseResult {
    record(&harness, tenant(1), &entry(1)).await?;
    record(&harness, tenant(2), &entry(2)).await?;
    record(&harness, Scope::System, &entry(3)).await?;
    ensure_eq!(list(&harness, tenant(1), None, 10).await?, [entry(1)], "the entries of one tenant");
    ensure_eq!(list(&harness, tenant(2), None, 10).await?, [entry(2)], "the entries of another tenant");
    ensure_eq!(list(&harness, tenant(3), None, 10).await?, [], "the entries of a tenant without any");
    let other = list(&harness, tenant(1), Some(entry(2).id), 10).await?;
    ensure_eq!(other, [entry(1)], "the entries of one tenant before another tenant's");
    Ok(())
}

async fn a_list_shows_the_newest_first_page_by_page(harness: H) -> CaseResult {
    for number in [3, 1, 5, 2, 4] {
        record(&harness, tenant(1), &entry(number)).await?;
    }
    let expected: Vec<AuditEntry> = (1..=5).rev().map(entry).collect();
    for limit in 1..=6 {
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let page = list(&harness, tenant(1), before, limit).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            ensure!(page.len() <= limit as usize, "{} entries in a page of {limit}", page.len());
            all.extend(page);
            ensure!(all.len() <= 5, "more entries in pages of {limit} than there are");
        }
        ensure_eq!(all, expected, "the entries of all pages of {limit}");
    }
    Ok(())
}
