//! Reads from replicas, where there are any; without, the primary takes them.

use std::sync::Arc;

use dolmen_ports::{ClientPosition, PortResult, Position, ReadFrom};

use super::commit::insert;
use super::{DatabaseHarness, DatabaseSuite, ScratchRow};
use crate::conformance::failure::{CaseResult, ensure_eq};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: DatabaseSuite) -> DatabaseSuite {
    add_cases!(suite,
        "DB-14": a_client_reads_from_a_replica_what_it_wrote,
        "DB-14": what_a_client_was_told_holds_on_every_instance,
        "DB-14": a_position_of_another_database_leaves_the_read_to_the_primary,
    )
}

type H = Arc<dyn DatabaseHarness>;

async fn count_on_replica(harness: &H) -> PortResult<u64> {
    let database = harness.database().system();
    database.read_from(ReadFrom::Replica, async |tx| harness.count(tx).await).await
}

async fn a_client_reads_from_a_replica_what_it_wrote(harness: H) -> CaseResult {
    let client = ClientPosition::default();
    for number in 1..=20 {
        let written_and_read = async {
            insert(&harness, &ScratchRow::new(number, format!("row {number}"))).await?;
            count_on_replica(&harness).await
        };
        let count = client.follow(written_and_read).await?;
        ensure_eq!(count, u64::from(number), "the rows that the client sees after its write");
    }
    Ok(())
}

async fn what_a_client_was_told_holds_on_every_instance(harness: H) -> CaseResult {
    let mut sent: Option<String> = None;
    for number in 1..=20 {
        let writer = ClientPosition::new(sent.as_deref().map(str::parse).transpose()?);
        writer.follow(insert(&harness, &ScratchRow::new(number, format!("row {number}")))).await?;
        // It travels as text, with the client.
        sent = writer.written().map(|position| position.to_string()).or(sent);
        let reader = ClientPosition::new(sent.as_deref().map(str::parse).transpose()?);
        let count = reader.follow(count_on_replica(&harness)).await?;
        ensure_eq!(count, u64::from(number), "the rows that the client sees with its next request");
        ensure_eq!(reader.written(), None, "what a read tells the client");
    }
    Ok(())
}

async fn a_position_of_another_database_leaves_the_read_to_the_primary(harness: H) -> CaseResult {
    insert(&harness, &ScratchRow::new(1, "a")).await?;
    let elsewhere = Position::Log { system: 0x00d0_13e2, timeline: 1, offset: 1 };
    let count = ClientPosition::new(Some(elsewhere)).follow(count_on_replica(&harness)).await?;
    ensure_eq!(count, 1, "the rows that a client sees whose position says nothing here");
    Ok(())
}
