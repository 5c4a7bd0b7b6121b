//! What values and constraints mean: the traps of each database, as cases.

use std::sync::Arc;

use dolmen_ports::{ErrorKind, PortResult, Timestamp, Uuid};
use serde_json::json;

use super::commit::{count, insert};
use super::{DatabaseCapabilities, DatabaseHarness, DatabaseSuite, ScratchRow};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: DatabaseSuite, capabilities: DatabaseCapabilities) -> DatabaseSuite {
    let suite = add_cases!(suite,
        "DB-10": nothing_is_not_an_empty_value,
        "DB-10": instants_keep_their_microseconds_from_year_1_to_9999,
        "DB-10": texts_that_look_alike_are_different,
        "DB-10": texts_with_a_meaning_in_sql_are_only_texts,
        "DB-10": long_texts_and_bytes_come_back_whole,
        "DB-10": numbers_come_back_to_their_last_digit,
        "DB-10": json_comes_back_equal,
        "DB-10": bytes_and_ids_come_back_equal,
        "DB-10": pages_are_in_order_of_instant_and_id,
        "DB-10": pages_of_any_size_add_up_to_the_same_rows,
        "DB-11": a_taken_id_already_exists,
        "DB-11": a_taken_name_already_exists,
        "DB-11": an_update_to_a_taken_name_already_exists,
    );
    let suite = suite.needs("foreign_keys", capabilities.foreign_keys);
    let suite = add_cases!(suite,
        "DB-11": a_row_without_its_parent_is_a_conflict,
        "DB-11": a_parent_with_children_cannot_be_deleted,
    );
    suite.needs_nothing()
}

type H = Arc<dyn DatabaseHarness>;

async fn find(harness: &H, id: Uuid) -> PortResult<Option<ScratchRow>> {
    harness.database().system().read(async |tx| harness.find(tx, id).await).await
}

async fn find_by_name(harness: &H, name: &str) -> PortResult<Option<ScratchRow>> {
    harness.database().system().read(async |tx| harness.find_by_name(tx, name).await).await
}

/// Stores a row, by insert and by update, and compares it with what comes back.
async fn ensure_round_trip(harness: &H, row: &ScratchRow) -> CaseResult {
    insert(harness, row).await?;
    ensure_eq!(find(harness, row.id).await?.as_ref(), Some(row), "the inserted row");
    harness.database().system().write(async |tx| harness.update(tx, row, row.version).await).await?;
    let updated = ScratchRow { version: row.version + 1, ..row.clone() };
    ensure_eq!(find(harness, row.id).await?, Some(updated), "the updated row");
    Ok(())
}

async fn nothing_is_not_an_empty_value(harness: H) -> CaseResult {
    ensure_round_trip(&harness, &ScratchRow::new(1, "all nothing")).await?;
    let mut empty = ScratchRow::new(2, "");
    empty.note = Some(String::new());
    empty.score = Some(0);
    empty.flag = Some(false);
    empty.ended_at = Some(Timestamp::UNIX_EPOCH);
    empty.digest = Some(Vec::new());
    empty.ratio = 0.0;
    empty.enabled = false;
    empty.bytes = Vec::new();
    ensure_round_trip(&harness, &empty).await?;
    // From something to nothing.
    let cleared = ScratchRow { version: 2, name: "cleared".to_owned(), ..ScratchRow::new(2, "") };
    harness.database().system().write(async |tx| harness.update(tx, &cleared, 2).await).await?;
    ensure_eq!(find(&harness, cleared.id).await?.and_then(|row| row.note), None, "the note after clearing");
    Ok(())
}

async fn instants_keep_their_microseconds_from_year_1_to_9999(harness: H) -> CaseResult {
    let texts = [
        "1900-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "2026-10-25T01:30:00.120000Z",
        "2038-01-19T03:14:08.000007Z",
        "2099-12-31T23:59:59.5Z",
    ];
    let mut instants = vec![Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];
    for text in texts {
        instants.push(text.parse()?);
    }
    for (number, at) in (1..).zip(instants) {
        let mut row = ScratchRow::new(number, at.to_string());
        row.at = at;
        row.ended_at = Some(at);
        ensure_round_trip(&harness, &row).await?;
    }
    Ok(())
}

async fn texts_that_look_alike_are_different(harness: H) -> CaseResult {
    // Among them: an accent in one letter and in two, a ligature, an umlaut and its spelling, look-alike blanks.
    let texts = [
        "a",
        "A",
        "á",
        "a\u{301}",
        "a ",
        " a",
        "a\u{a0}",
        "a\t",
        "ä",
        "ae",
        "ß",
        "ss",
        "ﬁ",
        "fi",
        "🪨",
        "🪨🪨",
        "i",
        "I",
        "İ",
        "ı",
        "a\u{200b}",
        "\u{202e}a",
    ];
    for (number, text) in (1..).zip(texts) {
        insert(&harness, &ScratchRow::new(number, text)).await?;
    }
    for (number, text) in (1..).zip(texts) {
        let found = find_by_name(&harness, text).await?.map(|row| (row.id, row.name));
        ensure_eq!(found, Some((ScratchRow::id(number), text.to_owned())), "the row named {text:?}");
    }
    ensure_eq!(find_by_name(&harness, "Á").await?, None, "the row of a name that is not there");
    Ok(())
}

async fn texts_with_a_meaning_in_sql_are_only_texts(harness: H) -> CaseResult {
    let texts = [
        "'; drop table scratch; --",
        "?",
        "$1",
        ":name",
        "{rows}",
        "%",
        "_",
        "\\",
        "\\'",
        "\"",
        "`",
        "/* */",
        "null",
        "\r\n",
        "\u{1}",
        "1e3",
    ];
    for (number, text) in (1..).zip(texts) {
        let mut row = ScratchRow::new(number, text);
        row.note = Some(text.to_owned());
        row.document = json!({ text: text });
        ensure_round_trip(&harness, &row).await?;
        ensure_eq!(
            find_by_name(&harness, text).await?.map(|row| row.id),
            Some(row.id),
            "the row named {text:?}"
        );
    }
    Ok(())
}

async fn long_texts_and_bytes_come_back_whole(harness: H) -> CaseResult {
    let mut row = ScratchRow::new(1, "n".repeat(200));
    row.note = Some("ü🪨".repeat(50_000));
    row.bytes = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    insert(&harness, &row).await?;
    // Compared without printing a million bytes when they differ.
    ensure!(find(&harness, row.id).await?.as_ref() == Some(&row), "the long row differs");
    Ok(())
}

async fn numbers_come_back_to_their_last_digit(harness: H) -> CaseResult {
    let integers = [i64::MIN, -1, i64::MAX, (1 << 53) + 1];
    let fractions = [0.1, -1.0e-300, f64::MAX, f64::MIN_POSITIVE];
    for (number, (amount, ratio)) in (1..).zip(integers.into_iter().zip(fractions)) {
        let mut row = ScratchRow::new(number, format!("row {number}"));
        row.amount = amount;
        row.score = Some(amount);
        row.ratio = ratio;
        row.flag = Some(true);
        row.enabled = amount > 0;
        ensure_round_trip(&harness, &row).await?;
    }
    Ok(())
}

async fn json_comes_back_equal(harness: H) -> CaseResult {
    let documents = [
        json!({}),
        json!([]),
        json!(null),
        json!("text with \"quotes\", \\ and 🪨"),
        json!({ "z": 1, "a": [true, null, 0.5, -3, i64::MAX], "": { "nested": [[[]]] }, "ключ": "ÄÖ\u{1}" }),
    ];
    for (number, document) in (1..).zip(documents) {
        let mut row = ScratchRow::new(number, format!("row {number}"));
        row.document = document;
        ensure_round_trip(&harness, &row).await?;
    }
    Ok(())
}

async fn bytes_and_ids_come_back_equal(harness: H) -> CaseResult {
    let ids = [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x6162_6364_0000_7000_8000_2020_2020_2020)];
    for (number, id) in (1..).zip(ids) {
        let mut row = ScratchRow::new(number, format!("row {number}"));
        row.id = id;
        row.bytes = (0..=255).rev().collect();
        row.digest = Some(vec![0; 32]);
        ensure_round_trip(&harness, &row).await?;
    }
    let mut child = ScratchRow::new(9, "child");
    child.parent = Some(Uuid::max());
    ensure_round_trip(&harness, &child).await
}

/// Rows whose instants differ by a few microseconds, by a fraction that ends in zeros, or not at all; in order.
///
/// Ids ascend where instants are equal, and nowhere else, so that they cannot stand in for a lost digit.
fn rows_in_order() -> Vec<ScratchRow> {
    let start = Timestamp::from_unix_seconds(1_790_000_000).as_unix_micros();
    let instants = [-1, 0, 0, 0, 7, 120_000, 123_456, 500_000, 1_000_000];
    let numbers = [9, 2, 3, 4, 1, 8, 7, 6, 5];
    let rows = numbers.into_iter().zip(instants).map(|(number, micros)| {
        let mut row = ScratchRow::new(number, format!("row {number}"));
        row.at = Timestamp::from_unix_micros(start + micros);
        row
    });
    let (mut first, mut last) = (ScratchRow::new(90, "first"), ScratchRow::new(10, "last"));
    first.at = Timestamp::MIN;
    last.at = Timestamp::MAX;
    std::iter::once(first).chain(rows).chain(std::iter::once(last)).collect()
}

async fn insert_in_another_order(harness: &H) -> PortResult<Vec<Uuid>> {
    let rows = rows_in_order();
    for row in rows.iter().rev() {
        insert(harness, row).await?;
    }
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn page(harness: &H, after: Option<(Timestamp, Uuid)>, limit: u32) -> PortResult<Vec<ScratchRow>> {
    harness.database().system().read(async |tx| harness.page(tx, after, limit).await).await
}

async fn pages_are_in_order_of_instant_and_id(harness: H) -> CaseResult {
    let expected = insert_in_another_order(&harness).await?;
    let found: Vec<Uuid> = page(&harness, None, 100).await?.into_iter().map(|row| row.id).collect();
    ensure_eq!(found, expected, "the order of all rows");
    Ok(())
}

async fn pages_of_any_size_add_up_to_the_same_rows(harness: H) -> CaseResult {
    let expected = insert_in_another_order(&harness).await?;
    for limit in 1..=12 {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let rows = page(&harness, after, limit).await?;
            found.extend(rows.iter().map(|row| row.id));
            after = rows.last().map(|row| (row.at, row.id));
            if rows.len() < limit as usize || found.len() > expected.len() {
                break;
            }
        }
        ensure_eq!(found, expected, "the rows of all pages of {limit}");
    }
    Ok(())
}

async fn a_taken_id_already_exists(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    let second = insert(&harness, &ScratchRow::new(1, "b")).await;
    ensure_kind!(second, ErrorKind::AlreadyExists, "a second row with the id");
    ensure_eq!(count(&harness).await?, 1, "rows");
    Ok(())
}

async fn a_taken_name_already_exists(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    let twice = harness.database().system().write(async |tx| {
        harness.insert(tx, &ScratchRow::new(2, "b")).await?;
        harness.insert(tx, &ScratchRow::new(3, "a")).await
    });
    ensure_kind!(twice.await, ErrorKind::AlreadyExists, "a second row with the name");
    ensure_eq!(count(&harness).await?, 1, "rows after the refused transaction");
    insert(&harness, &ScratchRow::new(3, "c")).await?;
    Ok(())
}

async fn an_update_to_a_taken_name_already_exists(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    insert(&harness, &ScratchRow::new(2, "b")).await?;
    let renamed = ScratchRow::new(2, "a");
    let update = harness.database().system().write(async |tx| harness.update(tx, &renamed, 1).await).await;
    ensure_kind!(update, ErrorKind::AlreadyExists, "an update to the name of another row");
    ensure_eq!(find(&harness, renamed.id).await?.map(|row| row.name), Some("b".to_owned()), "the name");
    Ok(())
}

async fn a_row_without_its_parent_is_a_conflict(harness: H) -> CaseResult {
    let mut child = ScratchRow::new(1, "child");
    child.parent = Some(ScratchRow::id(404));
    ensure_kind!(insert(&harness, &child).await, ErrorKind::Conflict, "a row without its parent");
    ensure_eq!(count(&harness).await?, 0, "rows");
    Ok(())
}

async fn a_parent_with_children_cannot_be_deleted(harness: H) -> CaseResult {
    let (parent, mut child) = (ScratchRow::new(1, "parent"), ScratchRow::new(2, "child"));
    child.parent = Some(parent.id);
    insert(&harness, &parent).await?;
    insert(&harness, &child).await?;
    let delete = async |id| harness.database().system().write(async |tx| harness.delete(tx, id).await).await;
    ensure_kind!(delete(parent.id).await, ErrorKind::Conflict, "deleting a parent");
    ensure_eq!(count(&harness).await?, 2, "rows");
    ensure!(delete(child.id).await?, "the child should be deleted");
    ensure!(delete(parent.id).await?, "the parent should be deleted after its child");
    Ok(())
}
