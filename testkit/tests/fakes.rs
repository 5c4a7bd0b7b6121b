//! What the fakes do beyond the promises of their ports.

use std::time::Duration;

use dolmen_ports::{
    Clock, ErrorKind, HealthCheck, HealthReport, HealthState, IdGenerator, JobId, JobQueue, Metric,
    MetricKind, MetricsRecorder, NewJob, PortResult, Scope, Timestamp, Uuid,
};
use dolmen_testkit::fakes::{
    FixedHealth, ManualClock, MemoryDatabase, MemoryJobQueue, MemoryTable, RecordingMetrics, SequentialIds,
};

const STONES: MemoryTable<u32, String> = MemoryTable::new("quarry_stone");

#[tokio::test(start_paused = true)]
async fn a_write_inside_a_write_ends_with_a_hint() {
    let database = MemoryDatabase::new().database();
    let _outer = database.system().begin().await.unwrap();
    let inner = database.system().write(async |tx| STONES.insert(tx, 1, "granite".to_owned())).await;
    let error = inner.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("a write inside a write"), "{error}");
}

#[tokio::test]
async fn a_table_is_changed_row_by_row() {
    let database = MemoryDatabase::new().database();
    let changed = database.system().write(async |tx| {
        for number in 1..=5 {
            STONES.insert(tx, number, format!("stone {number}"))?;
        }
        assert_eq!(STONES.insert(tx, 1, String::new()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(STONES.put(tx, 5, "slate".to_owned())?, Some("stone 5".to_owned()));
        assert_eq!(STONES.update(tx, &4, |stone| stone.push('!'))?, Some(()));
        assert_eq!(STONES.update(tx, &9, |stone| stone.push('!'))?, None);
        assert_eq!(STONES.remove(tx, &1)?, Some("stone 1".to_owned()));
        assert_eq!(STONES.remove(tx, &1)?, None);
        let keys = |rows: Vec<(u32, String)>| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let range = keys(STONES.range(tx, 3..)?);
        PortResult::Ok((range, keys(STONES.scan(tx, |_, stone| stone.starts_with("stone"))?)))
    });
    assert_eq!(changed.await.unwrap(), (vec![3, 4, 5], vec![2, 3, 4]));
    let read = database.system().read(async |tx| {
        assert!(!STONES.is_empty(tx)? && STONES.contains(tx, &2)?);
        Ok((STONES.len(tx)?, STONES.get(tx, &4)?))
    });
    let read: PortResult<_> = read.await;
    assert_eq!(read.unwrap(), (4, Some("stone 4!".to_owned())));
}

#[tokio::test]
async fn two_tables_of_one_name_are_refused() {
    const NUMBERS: MemoryTable<u32, u64> = MemoryTable::new("quarry_stone");
    let database = MemoryDatabase::new().database();
    database.system().write(async |tx| STONES.insert(tx, 1, "granite".to_owned())).await.unwrap();
    let error = database.system().write(async |tx| NUMBERS.insert(tx, 1, 1)).await.unwrap_err();
    assert!(error.to_string().contains("quarry_stone holds rows of another type"), "{error}");
    let error = database.system().read(async |tx| NUMBERS.get(tx, &1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test(start_paused = true)]
async fn a_commit_between_a_claim_and_a_wait_is_not_slept_through() {
    let memory = MemoryDatabase::new();
    let (queue, database) = (MemoryJobQueue::new(&memory), memory.database());
    let job = NewJob::new(JobId::new(Uuid::from_u128(1)), "quarry.break_stone", "{}", Scope::System);
    database.system().write(async |tx| queue.enqueue(tx, vec![job.clone()]).await).await.unwrap();
    let started = tokio::time::Instant::now();
    queue.wait(&[], Duration::from_hours(1)).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    queue.wait(&[], Duration::from_hours(1)).await;
    assert_eq!(started.elapsed(), Duration::from_hours(1));
}

#[test]
fn a_clock_goes_where_it_is_told() {
    let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
    clock.clone().advance(Duration::from_micros(7));
    assert_eq!(clock.now(), Timestamp::from_unix_micros(7));
    clock.set(Timestamp::UNIX_EPOCH);
    assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), Timestamp::MAX);
}

#[test]
fn sequential_ids_look_like_version_7_and_differ_by_series() {
    let (first, second) = (SequentialIds::new().next(), SequentialIds::series(1).next());
    assert_eq!((first.get_version_num(), second.get_version_num()), (7, 7));
    assert_ne!(first, second);
    assert_eq!(SequentialIds::new().next(), first);
}

#[test]
fn a_measurement_of_another_kind_is_dropped() {
    static STONES_BROKEN: Metric =
        Metric { name: "stones", help: "Broken stones", unit: "", labels: &[], kind: MetricKind::Counter };
    let metrics = RecordingMetrics::new();
    metrics.set(&STONES_BROKEN, &[], 1.0);
    metrics.observe(&STONES_BROKEN, &[], 1.0);
    assert_eq!((metrics.dropped(), metrics.gauge(&STONES_BROKEN, &[])), (2, None));
    metrics.metrics().add(&STONES_BROKEN, &[], 3);
    assert_eq!(metrics.counter(&STONES_BROKEN, &[]), 3);
}

#[tokio::test]
async fn a_health_check_says_what_it_was_told() {
    let check = FixedHealth::new("quarry");
    assert_eq!((check.name(), check.check().await), ("quarry", HealthReport::ok()));
    check.clone().set(HealthReport::down("flooded"));
    assert_eq!(check.check().await.state, HealthState::Down);
}
