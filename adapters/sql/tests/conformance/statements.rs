//! Statements on every database: each type goes in and comes out the same, each fragment does what it says.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::sync::Arc;

use dolmen_ports::{Database, ErrorKind, PortResult, Timestamp, Uuid, WriteTx};
use dolmen_sql::{FromRow, Row, bind_ids, row, sql};
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};
use serde_json::json;

use crate::fixture::SqlHarness;

dolmen_ports::define_id! {
    /// Identifies a thing.
    pub struct ThingId;
}
bind_ids!(ThingId);

type H = Arc<SqlHarness>;

pub(crate) fn suite() -> Suite<SqlHarness> {
    Suite::new("statements")
        .case("every_type_round_trips_and_null_is_never_zero", |harness| {
            Box::pin(every_type_round_trips_and_null_is_never_zero(harness))
        })
        .case("text_order_of_times_is_time_order", |harness| {
            Box::pin(text_order_of_times_is_time_order(harness))
        })
        .case("fragments_upsert_ignore_count_and_tell_the_time", |harness| {
            Box::pin(fragments_upsert_ignore_count_and_tell_the_time(harness))
        })
        .case("rows_and_lists_of_any_size", |harness| Box::pin(rows_and_lists_of_any_size(harness)))
        .case("an_error_ends_the_transaction", |harness| Box::pin(an_error_ends_the_transaction(harness)))
        .case("a_column_refuses_another_type", |harness| Box::pin(a_column_refuses_another_type(harness)))
}

#[derive(Debug, PartialEq)]
struct Thing {
    id: ThingId,
    yes: Option<bool>,
    big: Option<i64>,
    small: Option<u16>,
    ratio: Option<f64>,
    name: Option<String>,
    bytes: Option<Vec<u8>>,
    at: Option<Timestamp>,
    doc: Option<serde_json::Value>,
}

impl FromRow for Thing {
    fn from_row(row: &Row) -> PortResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            yes: row.get("yes")?,
            big: row.get("big")?,
            small: row.get("small")?,
            ratio: row.get("ratio")?,
            name: row.get("name")?,
            bytes: row.get("bytes")?,
            at: row.get("at")?,
            doc: row.get("doc")?,
        })
    }
}

async fn insert(tx: &mut WriteTx, thing: &Thing) -> PortResult<()> {
    let Thing { id, yes, big, small, ratio, name, bytes, at, doc } = thing;
    sql!(
        "insert into dolmen_sql_thing (id, yes, big, small, ratio, name, bytes, at, doc)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        yes,
        big,
        small,
        ratio,
        name,
        bytes,
        at,
        doc
    )
    .execute(tx)
    .await
    .map(drop)
}

fn thing(number: u128) -> Thing {
    Thing {
        id: ThingId::new(Uuid::from_u128(number)),
        yes: Some(true),
        big: Some(i64::MIN),
        small: Some(u16::MAX),
        ratio: Some(0.1),
        name: Some("Ärger 🦀 '?'".into()),
        bytes: Some(vec![0, 255]),
        at: Some("2026-10-01T10:00:00.5+02:00".parse().unwrap()),
        doc: Some(json!({"a": [1, null, "x"]})),
    }
}

async fn every_type_round_trips_and_null_is_never_zero(harness: H) -> CaseResult {
    let database = harness.database();
    let full = thing(1);
    let empty = Thing {
        id: ThingId::new(Uuid::from_u128(2)),
        yes: None,
        big: None,
        small: None,
        ratio: None,
        name: None,
        bytes: None,
        at: None,
        doc: None,
    };
    let things: PortResult<Vec<Thing>> = database
        .system()
        .write(async |tx| {
            insert(tx, &full).await?;
            insert(tx, &empty).await?;
            sql!("select id, yes, big, small, ratio, name, bytes, at, doc from dolmen_sql_thing order by id")
                .fetch_all(tx)
                .await
        })
        .await;
    assert_eq!(things.unwrap(), [full, empty]);
    let read: PortResult<(i64,)> = database
        .system()
        .read(async |tx| sql!("select big from dolmen_sql_thing where big is null").fetch_one(tx).await)
        .await;
    let error = read.unwrap_err();
    assert!(error.kind() == ErrorKind::Internal && error.chain().contains("NULL"), "{}", error.chain());
    Ok(())
}

async fn text_order_of_times_is_time_order(harness: H) -> CaseResult {
    let database = harness.database();
    let times = [
        "2026-10-01T10:00:00Z",
        "2026-10-01T10:00:00.000007Z",
        "2026-10-01T10:00:00.5Z",
        "9999-12-31T23:59:59Z",
    ];
    let read: PortResult<Vec<(Timestamp,)>> = database
        .system()
        .write(async |tx| {
            for (number, at) in (1_u128..).zip(times.iter().rev()) {
                insert(tx, &Thing { at: Some(at.parse().unwrap()), ..thing(number) }).await?;
            }
            sql!("select at from dolmen_sql_thing order by at").fetch_all(tx).await
        })
        .await;
    let expected: Vec<(Timestamp,)> = times.iter().map(|at| (at.parse().unwrap(),)).collect();
    assert_eq!(read.unwrap(), expected);
    Ok(())
}

async fn fragments_upsert_ignore_count_and_tell_the_time(harness: H) -> CaseResult {
    let database = harness.database();
    let result: PortResult<()> = database
        .system()
        .write(async |tx| {
            for expected in 1..=3_i64 {
                let matched = sql!(
                    "insert into dolmen_sql_counter (name, last) values (?, 1)
                     {on_conflict name} last = dolmen_sql_counter.last + {new last}",
                    "a"
                )
                .execute(tx)
                .await?;
                let (last,) = sql!("select last from dolmen_sql_counter where name = ?", "a")
                    .fetch_one::<(i64,)>(tx)
                    .await?;
                assert_eq!((matched, last), (1, expected));
            }
            let ignored =
                sql!("insert into dolmen_sql_counter (name, last) values (?, 9) {ignore_conflict name}", "a");
            assert_eq!(ignored.execute(tx).await?, 0);
            let (half,) = sql!("select {int sum(last) / ?} from dolmen_sql_counter", 2_i64)
                .fetch_one::<(i64,)>(tx)
                .await?;
            assert_eq!(half, 1);
            for locked in [
                sql!("select last from dolmen_sql_counter {for_update}"),
                sql!("select last from dolmen_sql_counter {skip_locked}"),
            ] {
                assert_eq!(locked.fetch_all::<(i64,)>(tx).await?, [(3,)]);
            }
            let (now, later) = sql!("select {now}, {now_plus ?}", 90_000_000_i64)
                .fetch_one::<(Timestamp, Timestamp)>(tx)
                .await?;
            let apart = later.since(now).as_secs_f64();
            assert!((89.9..90.1).contains(&apart), "{now} {later}");
            Ok(())
        })
        .await;
    Ok(result?)
}

async fn rows_and_lists_of_any_size(harness: H) -> CaseResult {
    let database = harness.database();
    let names: Vec<String> = (0..300).map(|number| format!("n{number:03}")).collect();
    let counts: PortResult<(u64, usize, usize)> = database
        .system()
        .write(async |tx| {
            let rows = names.iter().zip(0_i64..).map(|(name, last)| row![name, last]);
            let inserted = sql!("insert into dolmen_sql_counter (name, last) values {rows}")
                .bind_rows(rows)
                .execute(tx)
                .await?;
            let none: Vec<(i64,)> = sql!("select last from dolmen_sql_counter where name in ({list})")
                .bind_list(Vec::<String>::new())
                .fetch_all(tx)
                .await?;
            let some: Vec<(i64,)> =
                sql!("select last from dolmen_sql_counter where name in ({list}) and last < ?", 100_i64)
                    .bind_list(&names)
                    .fetch_all(tx)
                    .await?;
            Ok((inserted, none.len(), some.len()))
        })
        .await;
    assert_eq!(counts.unwrap(), (300, 0, 100));
    Ok(())
}

async fn an_error_ends_the_transaction(harness: H) -> CaseResult {
    let database = harness.database();
    let result: PortResult<()> = database
        .system()
        .write(async |tx| {
            insert(tx, &thing(1)).await?;
            let twice = insert(tx, &thing(1)).await.unwrap_err();
            assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
            let after = insert(tx, &thing(2)).await.unwrap_err();
            assert!(
                after.kind() == ErrorKind::InvalidInput && after.to_string().contains("earlier statement")
            );
            Ok(())
        })
        .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(count(database).await, 0);
    Ok(())
}

async fn count(database: &Database) -> i64 {
    let read: PortResult<(i64,)> = database
        .system()
        .read(async |tx| sql!("select count(*) from dolmen_sql_thing").fetch_one(tx).await)
        .await;
    read.unwrap().0
}

async fn a_column_refuses_another_type(harness: H) -> CaseResult {
    let database = harness.database();
    let result: PortResult<u64> = database
        .system()
        .write(async |tx| {
            sql!("insert into dolmen_sql_counter (name, last) values (?, ?)", "a", "x").execute(tx).await
        })
        .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}
