//! The scratch table of the database suite.

use async_trait::async_trait;
use dolmen_ports::{PortResult, ReadTx, Timestamp, Uuid, WriteTx};
use serde_json::{Value, json};

use crate::conformance::harness::TransactionHarness;

/// A row of the scratch table: one column of each type, and a nullable one of each.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a harness reads and builds every column")]
pub struct ScratchRow {
    /// Primary key.
    pub id: Uuid,
    /// Unique; compared exactly.
    pub name: String,
    /// Another row's id (foreign key without cascade), or none.
    pub parent: Option<Uuid>,
    /// When; pages are in the order of `(at, id)`.
    pub at: Timestamp,
    /// 64-bit integer.
    pub amount: i64,
    /// Double precision.
    pub ratio: f64,
    /// Boolean.
    pub enabled: bool,
    /// JSON.
    pub document: Value,
    /// Bytes.
    pub bytes: Vec<u8>,
    /// Text or nothing.
    pub note: Option<String>,
    /// Integer or nothing.
    pub score: Option<i64>,
    /// Boolean or nothing.
    pub flag: Option<bool>,
    /// Instant or nothing.
    pub ended_at: Option<Timestamp>,
    /// Bytes or nothing.
    pub digest: Option<Vec<u8>>,
    /// Version, for optimistic updates.
    pub version: i64,
}

impl ScratchRow {
    /// Row number `number`, named `name`, with nothing in its nullable columns.
    pub fn new(number: u32, name: impl Into<String>) -> Self {
        Self {
            id: Self::id(number),
            name: name.into(),
            parent: None,
            at: Timestamp::from_unix_seconds(1_790_000_000),
            amount: 0,
            ratio: 0.5,
            enabled: true,
            document: json!({ "number": number }),
            bytes: vec![0, 1, 255],
            note: None,
            score: None,
            flag: None,
            ended_at: None,
            digest: None,
            version: 1,
        }
    }

    /// The id of row number `number`.
    pub fn id(number: u32) -> Uuid {
        Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + u128::from(number))
    }
}

/// Offers a few operations on a scratch table, so that the suite needs no SQL.
///
/// # Contract
/// Each operation is one plain statement, written as the adapter's users write theirs; errors come back as they are.
#[async_trait]
pub trait DatabaseHarness: TransactionHarness {
    /// Inserts a row.
    async fn insert(&self, tx: &mut WriteTx, row: &ScratchRow) -> PortResult<()>;

    /// Tries to insert a row through a handle that may be read-only, past what the types forbid; an adapter whose handle
    /// can only fetch sends the insert as a query.
    async fn insert_through_read(&self, tx: &mut ReadTx, row: &ScratchRow) -> PortResult<()>;

    /// The row with this id.
    async fn find(&self, tx: &mut ReadTx, id: Uuid) -> PortResult<Option<ScratchRow>>;

    /// The row with this id, held against other writers until the transaction ends.
    async fn find_for_update(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<Option<ScratchRow>>;

    /// The row with this name.
    async fn find_by_name(&self, tx: &mut ReadTx, name: &str) -> PortResult<Option<ScratchRow>>;

    /// Stores all columns of a row and makes its version `expected + 1`, if its version is `expected`; otherwise `false`.
    async fn update(&self, tx: &mut WriteTx, row: &ScratchRow, expected: i64) -> PortResult<bool>;

    /// Removes a row; `false` when there was none.
    async fn delete(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<bool>;

    /// How many rows there are.
    async fn count(&self, tx: &mut ReadTx) -> PortResult<u64>;

    /// The next rows after `(at, id)` in ascending order of `(at, id)`, at most `limit`.
    async fn page(
        &self,
        tx: &mut ReadTx,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> PortResult<Vec<ScratchRow>>;

    /// Adds one to a named counter, which starts at 0, by an upsert; returns its value.
    async fn next_number(&self, tx: &mut WriteTx, counter: &str) -> PortResult<i64>;
}
