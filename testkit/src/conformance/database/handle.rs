//! The handle: reruns, scope, hooks, foreign transactions, the end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dolmen_ports::{
    ErrorKind, ModuleName, PortError, PortResult, ReadFrom, Scope, ScopedDatabase, TenantId, Uuid, WriteTx,
};

use super::commit::{count, insert};
use super::{DatabaseHarness, DatabaseSuite, ScratchRow};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::foreign::foreign_tx;
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: DatabaseSuite) -> DatabaseSuite {
    add_cases!(suite,
        "DB-6": contention_runs_the_closure_again_on_a_clean_state,
        "DB-6": contention_that_does_not_end_is_reported_after_the_last_run,
        "DB-6": other_errors_do_not_run_the_closure_again,
        "DB-7": a_transaction_of_another_backend_is_refused,
        "DB-8": a_transaction_knows_its_scope_and_module_in_every_run,
        "DB-9": hooks_run_once_after_the_commit_in_their_order,
        "DB-9": hooks_of_rolled_back_and_dropped_transactions_never_run,
        "DB-9": only_the_run_that_commits_runs_its_hooks,
        "DB-13": an_open_database_answers_a_ping,
        "DB-13": a_closed_database_is_unavailable,
    )
}

type H = Arc<dyn DatabaseHarness>;

fn fail(kind: ErrorKind) -> PortError {
    PortError::new(kind, "suite", "go on")
}

async fn contention_runs_the_closure_again_on_a_clean_state(harness: H) -> CaseResult {
    let runs = AtomicU32::new(0);
    let work = harness.database().system().write(async |tx| {
        let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
        harness.insert(tx, &ScratchRow::new(run, "same name")).await?;
        if run < 3 { Err(fail(ErrorKind::Contention)) } else { Ok(run) }
    });
    ensure_eq!(work.await?, 3, "the run that committed");
    ensure_eq!(count(&harness).await?, 1, "rows of all runs");
    Ok(())
}

async fn contention_that_does_not_end_is_reported_after_the_last_run(harness: H) -> CaseResult {
    let runs = AtomicU32::new(0);
    let work = harness.database().system().write(async |_| -> PortResult<()> {
        runs.fetch_add(1, Ordering::SeqCst);
        Err(fail(ErrorKind::Contention))
    });
    ensure_kind!(work.await, ErrorKind::Contention, "a unit of work that always meets contention");
    ensure_eq!(runs.load(Ordering::SeqCst), ScopedDatabase::MAX_RUNS, "runs");
    Ok(())
}

async fn other_errors_do_not_run_the_closure_again(harness: H) -> CaseResult {
    for kind in [ErrorKind::Conflict, ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::AlreadyExists] {
        let runs = AtomicU32::new(0);
        let work = harness.database().system().write(async |_| -> PortResult<()> {
            runs.fetch_add(1, Ordering::SeqCst);
            Err(fail(kind))
        });
        ensure_kind!(work.await, kind, "the closure's own error");
        ensure_eq!(runs.load(Ordering::SeqCst), 1, "runs of a closure that fails with {kind:?}");
    }
    Ok(())
}

async fn a_transaction_of_another_backend_is_refused(harness: H) -> CaseResult {
    let (mut tx, row) = (foreign_tx(), ScratchRow::new(1, "a"));
    ensure_kind!(harness.insert(&mut tx, &row).await, ErrorKind::WrongBackend, "an insert");
    ensure_kind!(harness.find(&mut tx, row.id).await, ErrorKind::WrongBackend, "a query");
    Ok(())
}

async fn a_transaction_knows_its_scope_and_module_in_every_run(harness: H) -> CaseResult {
    let tenant = TenantId::new(Uuid::from_u128(42));
    let module = ModuleName::new("suite");
    let database = harness.database().for_module(module);
    let runs = AtomicU32::new(0);
    let told = database.tenant(tenant).write(async |tx| {
        harness.count(tx).await?;
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(fail(ErrorKind::Contention));
        }
        Ok((tx.scope(), tx.module(), tx.tenant()?))
    });
    ensure_eq!(told.await?, (Scope::Tenant(tenant), Some(module), tenant), "what the second run was told");
    let told = harness.database().system().read(async |tx| PortResult::Ok((tx.scope(), tx.module()))).await?;
    ensure_eq!(told, (Scope::System, None), "what a read of the system was told");
    let tenant = harness.database().system().read(async |tx| tx.tenant()).await;
    ensure_kind!(tenant, ErrorKind::InvalidInput, "asking for a tenant in the system scope");
    Ok(())
}

/// Notes the order in which hooks run.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<u32>>>);

impl Notes {
    fn add_hook(&self, tx: &mut WriteTx, note: u32) {
        let notes = self.clone();
        tx.after_commit(move || notes.0.lock().unwrap_or_else(PoisonError::into_inner).push(note));
    }

    fn all(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn hooks_run_once_after_the_commit_in_their_order(harness: H) -> CaseResult {
    let notes = Notes::default();
    let mut tx = harness.database().system().begin().await?;
    notes.add_hook(&mut tx, 1);
    harness.insert(&mut tx, &ScratchRow::new(1, "a")).await?;
    notes.add_hook(&mut tx, 2);
    ensure_eq!(notes.all(), [0_u32; 0], "hooks before the commit");
    tx.commit().await?;
    ensure_eq!(notes.all(), [1, 2], "hooks after the commit");
    insert(&harness, &ScratchRow::new(2, "b")).await?;
    ensure_eq!(notes.all(), [1, 2], "hooks after another commit");
    Ok(())
}

async fn hooks_of_rolled_back_and_dropped_transactions_never_run(harness: H) -> CaseResult {
    let notes = Notes::default();
    let mut tx = harness.database().system().begin().await?;
    notes.add_hook(&mut tx, 1);
    tx.rollback().await?;
    let mut tx = harness.database().system().begin().await?;
    notes.add_hook(&mut tx, 2);
    drop(tx);
    let refused = harness.database().system().write(async |tx| -> PortResult<()> {
        notes.add_hook(tx, 3);
        Err(fail(ErrorKind::Conflict))
    });
    ensure_kind!(refused.await, ErrorKind::Conflict, "the closure's own error");
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    ensure_eq!(notes.all(), [0_u32; 0], "hooks of transactions that did not commit");
    Ok(())
}

async fn only_the_run_that_commits_runs_its_hooks(harness: H) -> CaseResult {
    let (notes, runs) = (Notes::default(), AtomicU32::new(0));
    let work = harness.database().system().write(async |tx| {
        let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
        notes.add_hook(tx, run);
        if run < 3 { Err(fail(ErrorKind::Contention)) } else { Ok(()) }
    });
    work.await?;
    ensure_eq!(notes.all(), [3], "the runs whose hooks ran");
    Ok(())
}

async fn an_open_database_answers_a_ping(harness: H) -> CaseResult {
    ensure!(!harness.database().backend().is_empty(), "the backend has no name");
    harness.database().ping().await?;
    Ok(())
}

async fn a_closed_database_is_unavailable(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    harness.database().close().await;
    let unavailable = ErrorKind::Unavailable;
    ensure_kind!(harness.database().ping().await, unavailable, "a ping");
    ensure_kind!(harness.database().system().begin().await, unavailable, "a write transaction");
    ensure_kind!(insert(&harness, &ScratchRow::new(2, "b")).await, unavailable, "a write");
    ensure_kind!(count(&harness).await, unavailable, "a read");
    let begun = harness.database().system().begin_read(ReadFrom::Replica).await;
    ensure_kind!(begun, unavailable, "a read of a replica");
    harness.database().close().await;
    Ok(())
}
