//! Commit and rollback.

use std::sync::Arc;

use dolmen_ports::{Database, ErrorKind, PortError, PortResult};
use tokio::task::JoinSet;

use super::{DatabaseHarness, DatabaseSuite, ScratchRow};
use crate::conformance::cancel::after_waits;
use crate::conformance::failure::{CaseResult, ensure, ensure_eq};
use crate::conformance::suite::add_cases;

/// More awaits than any transaction of two statements has.
const MAX_WAITS: usize = 2_000;

pub(super) fn add(suite: DatabaseSuite) -> DatabaseSuite {
    add_cases!(suite,
        "DB-1": a_commit_is_visible_to_the_next_transaction,
        "DB-1": a_transaction_reads_its_own_writes,
        "DB-2": an_error_rolls_back,
        "DB-2": a_rolled_back_transaction_leaves_nothing,
        "DB-2": dropped_transactions_leave_nothing_and_free_their_connections,
        "DB-2": a_write_cancelled_at_any_await_is_done_as_a_whole_or_not_at_all,
        "DB-2": a_read_cancelled_at_any_await_spoils_no_connection,
        "DB-2": a_task_that_is_aborted_frees_the_writer,
        "DB-2": a_panic_rolls_back,
    )
}

type H = Arc<dyn DatabaseHarness>;

fn refusal() -> PortError {
    PortError::new(ErrorKind::Conflict, "scratch", "go on")
}

pub(super) async fn count(harness: &H) -> PortResult<u64> {
    harness.database().system().read(async |tx| harness.count(tx).await).await
}

pub(super) async fn insert(harness: &H, row: &ScratchRow) -> PortResult<()> {
    harness.database().system().write(async |tx| harness.insert(tx, row).await).await
}

async fn a_commit_is_visible_to_the_next_transaction(harness: H) -> CaseResult {
    let row = ScratchRow::new(1, "a");
    insert(&harness, &row).await?;
    let found = harness.database().system().read(async |tx| harness.find(tx, row.id).await).await?;
    ensure_eq!(found, Some(row), "the committed row");
    Ok(())
}

async fn a_transaction_reads_its_own_writes(harness: H) -> CaseResult {
    let mut row = ScratchRow::new(1, "a");
    let mut tx = harness.database().system().begin().await?;
    harness.insert(&mut tx, &row).await?;
    ensure_eq!(harness.find(&mut tx, row.id).await?, Some(row.clone()), "the row after insert");
    "b".clone_into(&mut row.name);
    ensure!(harness.update(&mut tx, &row, 1).await?, "the update should match");
    let found = harness.find_by_name(&mut tx, "b").await?;
    ensure_eq!(found.map(|row| row.version), Some(2), "the version after update");
    ensure!(harness.delete(&mut tx, row.id).await?, "the delete should match");
    ensure_eq!(harness.count(&mut tx).await?, 0, "rows after delete");
    tx.commit().await?;
    Ok(())
}

async fn an_error_rolls_back(harness: H) -> CaseResult {
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            // Two, because a database that commits each statement loses the last one only.
            harness.insert(tx, &ScratchRow::new(1, "a")).await?;
            harness.insert(tx, &ScratchRow::new(2, "b")).await?;
            Err(refusal())
        })
        .await;
    ensure_eq!(result.map_err(|error| error.port()), Err("scratch"), "the closure's own error");
    ensure_eq!(count(&harness).await?, 0, "rows after an error");
    Ok(())
}

async fn a_rolled_back_transaction_leaves_nothing(harness: H) -> CaseResult {
    let mut tx = harness.database().system().begin().await?;
    harness.insert(&mut tx, &ScratchRow::new(1, "a")).await?;
    tx.rollback().await?;
    ensure_eq!(count(&harness).await?, 0, "rows after rollback");
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    ensure_eq!(count(&harness).await?, 1, "rows after the next commit");
    Ok(())
}

async fn dropped_transactions_leave_nothing_and_free_their_connections(harness: H) -> CaseResult {
    // More often than any pool has connections.
    for _ in 0..40 {
        let mut tx = harness.database().system().begin().await?;
        harness.insert(&mut tx, &ScratchRow::new(1, "a")).await?;
        drop(tx);
        let mut tx = harness.database().system().begin_read(dolmen_ports::ReadFrom::Primary).await?;
        ensure_eq!(harness.count(&mut tx).await?, 0, "rows after a drop");
        drop(tx);
    }
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    ensure_eq!(count(&harness).await?, 1, "rows after the next commit");
    Ok(())
}

async fn a_write_cancelled_at_any_await_is_done_as_a_whole_or_not_at_all(harness: H) -> CaseResult {
    let (first, second) = (ScratchRow::new(1, "a"), ScratchRow::new(2, "b"));
    for waits in 0..MAX_WAITS {
        let work = harness.database().system().write(async |tx| {
            harness.insert(tx, &first).await?;
            harness.insert(tx, &second).await
        });
        let done = after_waits(waits, work).await;
        let rows = count(&harness).await?;
        if let Some(result) = done {
            result?;
            ensure_eq!(rows, 2, "rows after the write that was not cancelled");
            return Ok(());
        }
        // Cancelled while it committed: either way is right, half of it is not.
        ensure!(rows == 0 || rows == 2, "{rows} of 2 rows after a cancel at await {waits}");
        let clear = async |tx: &mut dolmen_ports::WriteTx| {
            harness.delete(tx, first.id).await?;
            harness.delete(tx, second.id).await
        };
        harness.database().system().write(clear).await?;
        ensure_eq!(count(&harness).await?, 0, "rows after the clearing at await {waits}");
    }
    ensure!(false, "the write still waited after {MAX_WAITS} awaits");
    Ok(())
}

async fn a_read_cancelled_at_any_await_spoils_no_connection(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    for waits in 0..MAX_WAITS {
        let done = after_waits(waits, count(&harness)).await;
        let mut row = ScratchRow::new(1, "a");
        row.amount = i64::try_from(waits)?;
        let version = i64::try_from(waits)? + 1;
        let updated =
            harness.database().system().write(async |tx| harness.update(tx, &row, version).await).await?;
        ensure!(updated, "the write after a read that was cancelled at await {waits} should match");
        if let Some(result) = done {
            ensure_eq!(result?, 1, "rows in the read that was not cancelled");
            return Ok(());
        }
    }
    ensure!(false, "the read still waited after {MAX_WAITS} awaits");
    Ok(())
}

async fn a_task_that_is_aborted_frees_the_writer(harness: H) -> CaseResult {
    let (inserted, seen) = tokio::sync::oneshot::channel();
    let mut tasks = JoinSet::new();
    let task_harness = Arc::clone(&harness);
    tasks.spawn(async move {
        let mut tx = task_harness.database().system().begin().await?;
        task_harness.insert(&mut tx, &ScratchRow::new(1, "a")).await?;
        inserted.send(()).map_err(|()| refusal())?;
        std::future::pending::<PortResult<()>>().await
    });
    seen.await?;
    tasks.shutdown().await;
    ensure_eq!(count(&harness).await?, 0, "rows after the abort");
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    ensure_eq!(count(&harness).await?, 1, "rows after the next commit");
    Ok(())
}

async fn a_panic_rolls_back(harness: H) -> CaseResult {
    let mut tasks = JoinSet::new();
    let task_harness = Arc::clone(&harness);
    tasks.spawn(async move {
        let database: &Database = task_harness.database();
        let work = database.system().write(async |tx| {
            task_harness.insert(tx, &ScratchRow::new(1, "a")).await?;
            // Not `panic!`: the hook would print a trace into the output of a case that passes.
            std::panic::resume_unwind(Box::new("on purpose"));
            #[expect(unreachable_code, reason = "tells the closure's type")]
            PortResult::Ok(())
        });
        work.await
    });
    let ended = tasks.join_next().await;
    ensure!(ended.is_some_and(|result| result.is_err_and(|error| error.is_panic())), "the task should panic");
    ensure_eq!(count(&harness).await?, 0, "rows after the panic");
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    Ok(())
}
