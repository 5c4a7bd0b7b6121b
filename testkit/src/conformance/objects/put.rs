//! Writing, reading and removing one object.

use std::sync::Arc;

use dolmen_ports::{Bytes, ErrorKind, ListRequest, ObjectVersion, PortResult, PutMode, PutOptions};
use tokio::task::JoinSet;

use super::{H, ObjectsSuite, get, key, put};
use crate::conformance::cancel::after_waits;
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: ObjectsSuite) -> ObjectsSuite {
    add_cases!(suite,
        "OB-1": a_put_object_can_be_read,
        "OB-1": an_empty_object_and_a_large_one_can_be_read,
        "OB-1": overwriting_shows_the_new_object_and_another_version,
        "OB-1": a_reader_never_sees_a_part_of_an_object,
        "OB-1": every_key_that_the_port_takes_round_trips,
        "OB-1": a_key_may_begin_with_another_key,
        "OB-2": create_refuses_a_key_that_is_there,
        "OB-2": of_concurrent_creators_exactly_one_succeeds,
        "OB-3": replace_takes_the_current_version_only,
        "OB-3": replace_refuses_a_key_that_is_not_there,
        "OB-3": of_concurrent_replacers_exactly_one_succeeds,
        "OB-4": delete_removes_and_may_be_repeated,
        "OB-6": a_put_cancelled_at_any_await_leaves_the_whole_object_or_none,
        "OB-6": a_refused_put_leaves_the_old_object,
        "OB-7": a_key_that_is_not_there_is_not_found,
        "OB-9": a_content_type_that_breaks_the_rule_is_refused,
    )
}

/// More awaits than any put has.
const MAX_WAITS: usize = 2_000;

async fn a_put_object_can_be_read(harness: H) -> CaseResult {
    let (store, key) = (harness.store(), key("reports/2026-10.csv")?);
    let options = PutOptions::new("text/csv; charset=utf-8");
    let version = store.put(&key, Bytes::from_static(b"month\r\n\0\xff"), options).await?;
    let object = store.get(&key).await?;
    ensure_eq!(object.bytes, Bytes::from_static(b"month\r\n\0\xff"), "the bytes");
    ensure_eq!(object.meta.key, key, "the key");
    ensure_eq!(object.meta.size, 9, "the size");
    ensure_eq!(object.meta.version, version, "the version");
    ensure_eq!(object.meta.content_type, "text/csv; charset=utf-8", "the content type");
    ensure_eq!(store.head(&key).await?, object.meta, "what head tells");
    let listed = store.list(&ListRequest::new("", 10)).await?;
    ensure_eq!(listed, [object.meta], "what list tells");
    Ok(())
}

async fn an_empty_object_and_a_large_one_can_be_read(harness: H) -> CaseResult {
    let large: Vec<u8> = (0..3_000_001_u32).map(|number| (number % 251) as u8).collect();
    for bytes in [Vec::new(), large] {
        put(&harness, "data", &bytes, PutMode::Overwrite).await?;
        ensure!(get(&harness, "data").await? == bytes, "an object of {} bytes differs", bytes.len());
    }
    Ok(())
}

async fn overwriting_shows_the_new_object_and_another_version(harness: H) -> CaseResult {
    let first = put(&harness, "a", b"first", PutMode::Overwrite).await?;
    let second = put(&harness, "a", b"second", PutMode::Overwrite).await?;
    ensure!(first != second, "two contents have the version {first:?}");
    ensure_eq!(get(&harness, "a").await?, "second", "the bytes");
    ensure_eq!(harness.store().head(&key("a")?).await?.size, 6, "the size");
    Ok(())
}

async fn a_reader_never_sees_a_part_of_an_object(harness: H) -> CaseResult {
    let contents = [vec![b'a'; 200_000], vec![b'b'; 100_000]];
    put(&harness, "shared", b"", PutMode::Overwrite).await?;
    let mut writer = JoinSet::new();
    let (writing, written) = (Arc::clone(&harness), contents.clone());
    writer.spawn(async move {
        for bytes in written.iter().cycle().take(40) {
            put(&writing, "shared", bytes, PutMode::Overwrite).await?;
        }
        PortResult::Ok(())
    });
    loop {
        let object = harness.store().get(&key("shared")?).await?;
        let is_whole = object.bytes.is_empty() || contents.contains(&object.bytes.to_vec());
        ensure!(is_whole, "a reader saw {} bytes", object.bytes.len());
        ensure_eq!(object.meta.size, object.bytes.len() as u64, "size and bytes of one reading");
        if let Some(result) = writer.try_join_next() {
            return Ok(result??);
        }
    }
}

async fn every_key_that_the_port_takes_round_trips(harness: H) -> CaseResult {
    let keys = [
        "a".repeat(512),
        format!("{}/{}", "b".repeat(300), "c".repeat(211)),
        vec!["d"; 256].join("/"),
        "A-Za_z.0=9+@!".to_owned(),
        "case".to_owned(),
        "CASE".to_owned(),
        ".hidden".to_owned(),
        "...".to_owned(),
        "name.tmp".to_owned(),
        "name.meta".to_owned(),
        "CON".to_owned(),
        "trailing.".to_owned(),
    ];
    for key in &keys {
        put(&harness, key, key.as_bytes(), PutMode::Create).await?;
    }
    for key in &keys {
        ensure_eq!(get(&harness, key).await?, key.as_bytes(), "the bytes under {key}");
    }
    ensure_eq!(harness.store().list(&ListRequest::new("", 100)).await?.len(), keys.len(), "keys in the list");
    Ok(())
}

async fn a_key_may_begin_with_another_key(harness: H) -> CaseResult {
    let keys = ["a/b", "a", "a/b/c"];
    for key in keys {
        put(&harness, key, key.as_bytes(), PutMode::Create).await?;
    }
    for key in keys {
        ensure_eq!(get(&harness, key).await?, key.as_bytes(), "the bytes under {key}");
    }
    harness.store().delete(&key("a/b")?).await?;
    ensure_eq!(get(&harness, "a/b/c").await?, "a/b/c", "the longer key after a delete");
    ensure_kind!(get(&harness, "a/b").await, ErrorKind::NotFound, "the deleted key");
    Ok(())
}

async fn create_refuses_a_key_that_is_there(harness: H) -> CaseResult {
    put(&harness, "a", b"first", PutMode::Create).await?;
    let second = put(&harness, "a", b"second", PutMode::Create).await;
    ensure_kind!(second, ErrorKind::AlreadyExists, "the second create");
    ensure_eq!(get(&harness, "a").await?, "first", "the bytes");
    harness.store().delete(&key("a")?).await?;
    put(&harness, "a", b"third", PutMode::Create).await?;
    Ok(())
}

/// How many writers a race has.
pub(in crate::conformance) const WRITERS: usize = 8;

/// Lets all writers of a race put their own bytes in one mode at the same time: one has to succeed, the others get this
/// kind.
async fn ensure_one_wins(harness: &H, mode: &PutMode, others: ErrorKind) -> CaseResult {
    let mut writers = JoinSet::new();
    for number in (0..).take(WRITERS) {
        let (harness, mode) = (Arc::clone(harness), mode.clone());
        writers.spawn(async move { (number, put(&harness, "contested", &[number; 1_000], mode).await) });
    }
    let (mut winners, mut failures) = (Vec::new(), Vec::new());
    for (number, result) in writers.join_all().await {
        match result {
            Ok(_) => winners.push(vec![number; 1_000]),
            Err(error) => failures.push(error.kind()),
        }
    }
    ensure_eq!(failures, [others; WRITERS - 1], "what all but one writer got");
    ensure_eq!(winners, [get(harness, "contested").await?.to_vec()], "the winner's bytes");
    Ok(())
}

async fn of_concurrent_creators_exactly_one_succeeds(harness: H) -> CaseResult {
    ensure_one_wins(&harness, &PutMode::Create, ErrorKind::AlreadyExists).await
}

async fn replace_takes_the_current_version_only(harness: H) -> CaseResult {
    let first = put(&harness, "a", b"first", PutMode::Overwrite).await?;
    let second = put(&harness, "a", b"second", PutMode::Replace(first.clone())).await?;
    let stale = put(&harness, "a", b"third", PutMode::Replace(first)).await;
    ensure_kind!(stale, ErrorKind::Conflict, "replacing a version that is not current");
    ensure_eq!(get(&harness, "a").await?, "second", "the bytes");
    put(&harness, "a", b"fourth", PutMode::Replace(second)).await?;
    ensure_eq!(get(&harness, "a").await?, "fourth", "the bytes");
    Ok(())
}

async fn replace_refuses_a_key_that_is_not_there(harness: H) -> CaseResult {
    let version = put(&harness, "a", b"first", PutMode::Overwrite).await?;
    harness.store().delete(&key("a")?).await?;
    for version in [version, ObjectVersion("never-was".to_owned())] {
        let result = put(&harness, "a", b"second", PutMode::Replace(version)).await;
        ensure_kind!(result, ErrorKind::Conflict, "replacing what is not there");
    }
    ensure_kind!(get(&harness, "a").await, ErrorKind::NotFound, "the key after the refusals");
    Ok(())
}

async fn of_concurrent_replacers_exactly_one_succeeds(harness: H) -> CaseResult {
    let version = put(&harness, "contested", b"first", PutMode::Overwrite).await?;
    ensure_one_wins(&harness, &PutMode::Replace(version), ErrorKind::Conflict).await
}

async fn delete_removes_and_may_be_repeated(harness: H) -> CaseResult {
    put(&harness, "a/b", b"bytes", PutMode::Overwrite).await?;
    for _ in 0..2 {
        harness.store().delete(&key("a/b")?).await?;
    }
    harness.store().delete(&key("never/was")?).await?;
    ensure_kind!(get(&harness, "a/b").await, ErrorKind::NotFound, "the deleted key");
    ensure_eq!(harness.store().list(&ListRequest::new("", 10)).await?, [], "the list");
    Ok(())
}

async fn a_put_cancelled_at_any_await_leaves_the_whole_object_or_none(harness: H) -> CaseResult {
    let bytes = vec![b'x'; 100_000];
    for waits in 0..MAX_WAITS {
        let done = after_waits(waits, put(&harness, "a", &bytes, PutMode::Overwrite)).await;
        // The old object was removed before this round: it is the new one as a whole, or none.
        match get(&harness, "a").await {
            Ok(found) => ensure!(found == bytes, "{} bytes after a cancel at await {waits}", found.len()),
            Err(error) => {
                ensure_eq!(error.kind(), ErrorKind::NotFound, "reading after a cancel at await {waits}");
                ensure!(done.is_none(), "the object that was put without a cancel is not there");
            }
        }
        let listed = harness.store().list(&ListRequest::new("", 10)).await?;
        ensure!(listed.len() <= 1, "{} keys in the list after a cancel at await {waits}", listed.len());
        if let Some(result) = done {
            result?;
            return Ok(());
        }
        harness.store().delete(&key("a")?).await?;
    }
    ensure!(false, "the put still waited after {MAX_WAITS} awaits");
    Ok(())
}

async fn a_refused_put_leaves_the_old_object(harness: H) -> CaseResult {
    let version = put(&harness, "a", b"old", PutMode::Overwrite).await?;
    let before = harness.store().head(&key("a")?).await?;
    let refused = put(&harness, "a", &vec![b'n'; 100_000], PutMode::Create).await;
    ensure_kind!(refused, ErrorKind::AlreadyExists, "creating over an object");
    ensure_eq!(before.version, version, "the version before");
    ensure_eq!(harness.store().head(&key("a")?).await?, before, "what head tells after the refusal");
    ensure_eq!(get(&harness, "a").await?, "old", "the bytes");
    Ok(())
}

async fn a_key_that_is_not_there_is_not_found(harness: H) -> CaseResult {
    put(&harness, "a/b", b"bytes", PutMode::Overwrite).await?;
    // The second one is a folder for stores that have folders.
    for absent in ["never/was", "a", "a/b/c"] {
        let key = key(absent)?;
        ensure_kind!(harness.store().get(&key).await, ErrorKind::NotFound, "get of {absent}");
        ensure_kind!(harness.store().head(&key).await, ErrorKind::NotFound, "head of {absent}");
    }
    Ok(())
}

async fn a_content_type_that_breaks_the_rule_is_refused(harness: H) -> CaseResult {
    for content_type in ["", "text/plain\r\nX-Evil: 1", "text/ü", &"x".repeat(256)] {
        let put = harness.store().put(&key("a")?, Bytes::new(), PutOptions::new(content_type)).await;
        ensure_kind!(put, ErrorKind::InvalidInput, "the content type {content_type:?}");
    }
    ensure_kind!(get(&harness, "a").await, ErrorKind::NotFound, "the key after the refusals");
    Ok(())
}
