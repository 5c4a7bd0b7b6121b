//! What transactions see of each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use dolmen_ports::{PortResult, ReadFrom, WriteTx};
use tokio::task::JoinSet;

use super::commit::{count, insert};
use super::{DatabaseHarness, DatabaseSuite, ScratchRow};
use crate::conformance::failure::{CaseResult, Failure, ensure, ensure_eq};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: DatabaseSuite) -> DatabaseSuite {
    add_cases!(suite,
        "DB-3": a_read_transaction_cannot_write,
        "DB-3": a_write_after_a_read_is_not_held_read_only,
        "DB-4": what_is_not_committed_is_not_seen,
        "DB-4": a_read_transaction_keeps_the_state_of_its_first_statement,
        "DB-4": a_reader_sees_all_rows_of_a_commit_or_none,
        "DB-5": a_stale_version_updates_nothing,
        "DB-5": concurrent_updates_of_a_row_held_for_update_are_all_kept,
        "DB-5": concurrent_updates_by_version_are_never_lost,
        "DB-5": concurrent_writers_are_all_applied,
        "DB-5": a_counter_has_neither_gaps_nor_twins_under_concurrency,
        "DB-5": a_rolled_back_number_is_given_again,
    )
}

type H = Arc<dyn DatabaseHarness>;

async fn a_read_transaction_cannot_write(harness: H) -> CaseResult {
    for from in [ReadFrom::Primary, ReadFrom::Replica] {
        let mut tx = harness.database().system().begin_read(from).await?;
        let written = harness.insert_through_read(&mut tx, &ScratchRow::new(1, "a")).await;
        ensure!(written.is_err(), "an insert in a read transaction on {from:?} went through");
        drop(tx);
        ensure_eq!(count(&harness).await?, 0, "rows after the insert on {from:?}");
    }
    Ok(())
}

async fn a_write_after_a_read_is_not_held_read_only(harness: H) -> CaseResult {
    // More often than any pool has connections, so that each of them has served a read.
    for number in 0..20 {
        ensure_eq!(count(&harness).await?, u64::from(number), "rows");
        insert(&harness, &ScratchRow::new(number, format!("row {number}"))).await?;
    }
    Ok(())
}

async fn what_is_not_committed_is_not_seen(harness: H) -> CaseResult {
    let mut tx = harness.database().system().begin().await?;
    for row in [ScratchRow::new(1, "a"), ScratchRow::new(2, "b")] {
        harness.insert(&mut tx, &row).await?;
        ensure_eq!(count(&harness).await?, 0, "rows that another transaction sees before the commit");
    }
    tx.commit().await?;
    ensure_eq!(count(&harness).await?, 2, "rows that another transaction sees after the commit");
    Ok(())
}

async fn a_read_transaction_keeps_the_state_of_its_first_statement(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    let mut reader = harness.database().system().begin_read(ReadFrom::Primary).await?;
    ensure_eq!(harness.count(&mut reader).await?, 1, "rows in the first statement");
    insert(&harness, &ScratchRow::new(2, "b")).await?;
    ensure_eq!(harness.count(&mut reader).await?, 1, "rows in a later statement");
    ensure_eq!(harness.find(&mut reader, ScratchRow::id(2)).await?, None, "the row that came later");
    reader.end().await?;
    ensure_eq!(count(&harness).await?, 2, "rows in a new transaction");
    Ok(())
}

async fn a_reader_sees_all_rows_of_a_commit_or_none(harness: H) -> CaseResult {
    let mut writer = JoinSet::new();
    let writing = Arc::clone(&harness);
    writer.spawn(async move {
        for pair in 0..20 {
            let rows =
                [pair * 2, pair * 2 + 1].map(|number| ScratchRow::new(number, format!("row {number}")));
            let insert_both = async |tx: &mut WriteTx| {
                for row in &rows {
                    writing.insert(tx, row).await?;
                    tokio::task::yield_now().await;
                }
                PortResult::Ok(())
            };
            writing.database().system().write(insert_both).await?;
        }
        PortResult::Ok(())
    });
    loop {
        let rows = count(&harness).await?;
        ensure!(rows % 2 == 0, "a reader saw {rows} rows of pairs");
        if let Some(result) = writer.try_join_next() {
            result??;
            ensure_eq!(count(&harness).await?, 40, "rows after all commits");
            return Ok(());
        }
    }
}

async fn a_stale_version_updates_nothing(harness: H) -> CaseResult {
    let mut row = ScratchRow::new(1, "a");
    insert(&harness, &row).await?;
    row.amount = 1;
    let update = async |row: &ScratchRow, expected| {
        harness.database().system().write(async |tx| harness.update(tx, row, expected).await).await
    };
    ensure!(update(&row, 1).await?, "the update of the current version should match");
    row.amount = 2;
    ensure!(!update(&row, 1).await?, "the update of a stale version should match nothing");
    let found = harness.database().system().read(async |tx| harness.find(tx, row.id).await).await?;
    ensure_eq!(found.map(|row| (row.amount, row.version)), Some((1, 2)), "amount and version");
    ensure!(
        !update(&ScratchRow::new(9, "absent"), 1).await?,
        "the update of an absent row should match nothing"
    );
    Ok(())
}

/// Runs `work` ten times in each of six tasks at once; returns what all of them returned.
async fn in_parallel<T, F, Fut>(harness: &H, work: F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Fn(H, u32) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = PortResult<T>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for task in 0..6 {
        let (harness, work) = (Arc::clone(harness), work.clone());
        tasks.spawn(async move {
            let mut results = Vec::new();
            for turn in 0..10 {
                results.push(work(Arc::clone(&harness), task * 10 + turn).await?);
            }
            PortResult::Ok(results)
        });
    }
    let mut all = Vec::new();
    while let Some(results) = tasks.join_next().await {
        all.extend(results??);
    }
    Ok(all)
}

async fn ensure_amount(harness: &H, expected: i64) -> CaseResult {
    let id = ScratchRow::id(1);
    let found = harness.database().system().read(async |tx| harness.find(tx, id).await).await?;
    ensure_eq!(
        found.map(|row| (row.amount, row.version)),
        Some((expected, expected + 1)),
        "amount and version"
    );
    Ok(())
}

async fn concurrent_updates_of_a_row_held_for_update_are_all_kept(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    let add_one = async |harness: H, _| {
        let add_one = async |tx: &mut WriteTx| {
            let Some(mut row) = harness.find_for_update(tx, ScratchRow::id(1)).await? else {
                return Ok(false);
            };
            row.amount += 1;
            harness.update(tx, &row, row.version).await
        };
        harness.database().system().write(add_one).await
    };
    let matched = in_parallel(&harness, add_one).await?;
    ensure!(matched.into_iter().all(|matched| matched), "a row that was held for update changed meanwhile");
    ensure_amount(&harness, 60).await
}

async fn add_one_by_version(harness: H) -> PortResult<()> {
    loop {
        let add_one = async |tx: &mut WriteTx| {
            let Some(mut row) = harness.find(tx, ScratchRow::id(1)).await? else { return Ok(false) };
            row.amount += 1;
            harness.update(tx, &row, row.version).await
        };
        if harness.database().system().write(add_one).await? {
            return Ok(());
        }
    }
}

async fn concurrent_updates_by_version_are_never_lost(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    in_parallel(&harness, |harness, _| add_one_by_version(harness)).await?;
    ensure_amount(&harness, 60).await
}

async fn concurrent_writers_are_all_applied(harness: H) -> CaseResult {
    let insert_one = |harness: H, number| async move {
        insert(&harness, &ScratchRow::new(number, format!("row {number}"))).await
    };
    in_parallel(&harness, insert_one).await?;
    ensure_eq!(count(&harness).await?, 60, "rows");
    Ok(())
}

async fn next_number(harness: H) -> PortResult<i64> {
    harness.database().system().write(async |tx| harness.next_number(tx, "invoices").await).await
}

async fn a_counter_has_neither_gaps_nor_twins_under_concurrency(harness: H) -> CaseResult {
    let numbers = in_parallel(&harness, |harness, _| next_number(harness)).await?;
    ensure_eq!(numbers.len(), 60, "numbers that were given");
    let different: BTreeSet<i64> = numbers.into_iter().collect();
    ensure_eq!(different, (1..=60).collect(), "the different numbers");
    Ok(())
}

async fn a_rolled_back_number_is_given_again(harness: H) -> CaseResult {
    ensure_eq!(next_number(Arc::clone(&harness)).await?, 1, "the first number");
    let mut tx = harness.database().system().begin().await?;
    ensure_eq!(harness.next_number(&mut tx, "invoices").await?, 2, "the number that is rolled back");
    ensure_eq!(harness.next_number(&mut tx, "receipts").await?, 1, "the first number of another counter");
    tx.rollback().await?;
    ensure_eq!(next_number(Arc::clone(&harness)).await?, 2, "the number after the rollback");
    Ok(())
}
