//! Each promise of the database that an adapter can break, broken once.

use async_trait::async_trait;
use dolmen_ports::{Database, PortResult, ReadTx, Timestamp, Uuid, WriteTx};

use super::broken_database::{BrokenDatabase, Flaw};
use super::{assert_green, assert_red};
use crate::conformance::case::Case;
use crate::conformance::database::{self, DatabaseHarness, ScratchRow};
use crate::conformance::{Harness, MemoryHarness, TransactionHarness};
use crate::fakes::MemoryDatabase;

/// What is wrong with the statements on a sound database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    UpdatesAnyVersion,
    ReplacesOnInsert,
    IgnoresCase,
    TrimsText,
    CutsToMilliseconds,
    ReadsNothingAsZero,
    SkipsEqualInstants,
    BurnsNumbers,
    TakesForeignTransactions,
}

struct BrokenHarness {
    inner: MemoryHarness,
    database: Database,
    slip: Slip,
}

impl BrokenHarness {
    async fn fresh(flaw: Flaw, slip: Slip) -> Result<Self, dolmen_ports::BoxError> {
        let database = Database::new(BrokenDatabase { flaw, inner: MemoryDatabase::with_replica() });
        Ok(Self { inner: MemoryHarness::fresh().await?, database, slip })
    }

    fn spoil(&self, row: &ScratchRow) -> ScratchRow {
        let mut row = row.clone();
        match self.slip {
            Slip::TrimsText => row.name = row.name.trim_end().to_owned(),
            Slip::IgnoresCase => row.name = row.name.to_lowercase(),
            Slip::CutsToMilliseconds => {
                row.at = Timestamp::from_unix_micros(row.at.as_unix_micros() / 1_000 * 1_000);
            }
            Slip::ReadsNothingAsZero => row.score = row.score.or(Some(0)),
            _ => {}
        }
        row
    }
}

impl Harness for BrokenHarness {}

impl TransactionHarness for BrokenHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}

#[async_trait]
impl DatabaseHarness for BrokenHarness {
    async fn insert(&self, tx: &mut WriteTx, row: &ScratchRow) -> PortResult<()> {
        if self.slip == Slip::ReplacesOnInsert {
            self.inner.delete(tx, row.id).await?;
        }
        match self.inner.insert(tx, &self.spoil(row)).await {
            Err(_) if self.slip == Slip::TakesForeignTransactions && tx.backend() == "foreign" => Ok(()),
            result => result,
        }
    }

    async fn insert_through_read(&self, tx: &mut ReadTx, row: &ScratchRow) -> PortResult<()> {
        self.inner.insert_through_read(tx, row).await
    }

    async fn find(&self, tx: &mut ReadTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        self.inner.find(tx, id).await
    }

    async fn find_for_update(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        self.inner.find_for_update(tx, id).await
    }

    async fn find_by_name(&self, tx: &mut ReadTx, name: &str) -> PortResult<Option<ScratchRow>> {
        self.inner.find_by_name(tx, name).await
    }

    async fn update(&self, tx: &mut WriteTx, row: &ScratchRow, expected: i64) -> PortResult<bool> {
        let expected = match self.slip {
            Slip::UpdatesAnyVersion => self.inner.find(tx, row.id).await?.map_or(expected, |row| row.version),
            _ => expected,
        };
        self.inner.update(tx, &self.spoil(row), expected).await
    }

    async fn delete(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<bool> {
        self.inner.delete(tx, id).await
    }

    async fn count(&self, tx: &mut ReadTx) -> PortResult<u64> {
        self.inner.count(tx).await
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> PortResult<Vec<ScratchRow>> {
        let after = match self.slip {
            Slip::SkipsEqualInstants => after.map(|(at, _)| (at, Uuid::max())),
            _ => after,
        };
        self.inner.page(tx, after, limit).await
    }

    async fn next_number(&self, tx: &mut WriteTx, counter: &str) -> PortResult<i64> {
        if self.slip == Slip::BurnsNumbers {
            self.inner.next_number(tx, counter).await?;
        }
        self.inner.next_number(tx, counter).await
    }
}

fn cases(flaw: Flaw, slip: Slip) -> Vec<Case> {
    database::cases("broken", MemoryHarness::CAPABILITIES, move || BrokenHarness::fresh(flaw, slip))
}

#[test]
fn without_a_flaw_every_case_is_green() {
    assert_green(cases(Flaw::None, Slip::None));
}

#[test]
fn each_flaw_of_a_driver_turns_the_cases_of_its_promise_red() {
    let table: [(Flaw, &[&str]); 12] = [
        (
            Flaw::LosesCommits,
            &["DB-1 a_commit_is_visible_to_the_next_transaction", "DB-5 concurrent_writers_are_all_applied"],
        ),
        (
            Flaw::CommitsRollbacks,
            &["DB-2 an_error_rolls_back", "DB-2 a_rolled_back_transaction_leaves_nothing"],
        ),
        (
            Flaw::CommitsDrops,
            &[
                "DB-2 dropped_transactions_leave_nothing_and_free_their_connections",
                "DB-2 a_task_that_is_aborted_frees_the_writer",
                "DB-2 a_panic_rolls_back",
            ],
        ),
        (Flaw::CommitsEachStatement, &["DB-2 an_error_rolls_back", "DB-4 what_is_not_committed_is_not_seen"]),
        (Flaw::WritesInReads, &["DB-3 a_read_transaction_cannot_write"]),
        (Flaw::SeesWhatComesLater, &["DB-4 a_read_transaction_keeps_the_state_of_its_first_statement"]),
        (Flaw::StaysOpen, &["DB-13 a_closed_database_is_unavailable"]),
        (
            Flaw::TakesEditedMigrations,
            &["DB-12 an_edited_migration_is_refused", "DB-12 a_migration_before_an_applied_one_is_refused"],
        ),
        (Flaw::RunsOnAnySchema, &["DB-12 an_older_program_is_refused_by_what_breaks_it"]),
        (
            Flaw::AppliesMigrationsAgain,
            &["DB-12 migrations_are_applied_once", "DB-12 concurrent_runners_apply_each_migration_once"],
        ),
        (
            Flaw::ForgetsPositions,
            &[
                "DB-14 a_client_reads_from_a_replica_what_it_wrote",
                "DB-14 what_a_client_was_told_holds_on_every_instance",
                "DB-14 a_position_of_another_database_leaves_the_read_to_the_primary",
            ],
        ),
        (Flaw::TellsNoPositions, &["DB-14 what_a_client_was_told_holds_on_every_instance"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, cases(flaw, Slip::None), names);
    }
}

#[test]
fn each_slip_of_a_statement_turns_its_cases_red() {
    let table: [(Slip, &[&str]); 9] = [
        (Slip::UpdatesAnyVersion, &["DB-5 a_stale_version_updates_nothing"]),
        (Slip::ReplacesOnInsert, &["DB-11 a_taken_id_already_exists"]),
        (Slip::IgnoresCase, &["DB-10 texts_that_look_alike_are_different"]),
        (Slip::TrimsText, &["DB-10 texts_that_look_alike_are_different"]),
        (
            Slip::CutsToMilliseconds,
            &[
                "DB-10 instants_keep_their_microseconds_from_year_1_to_9999",
                "DB-10 pages_are_in_order_of_instant_and_id",
            ],
        ),
        (Slip::ReadsNothingAsZero, &["DB-10 nothing_is_not_an_empty_value"]),
        (Slip::SkipsEqualInstants, &["DB-10 pages_of_any_size_add_up_to_the_same_rows"]),
        (Slip::BurnsNumbers, &["DB-5 a_counter_has_neither_gaps_nor_twins_under_concurrency"]),
        (Slip::TakesForeignTransactions, &["DB-7 a_transaction_of_another_backend_is_refused"]),
    ];
    for (slip, names) in table {
        assert_red(&slip, cases(Flaw::None, slip), names);
    }
}
