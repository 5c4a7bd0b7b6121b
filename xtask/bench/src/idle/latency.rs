//! How long it takes until a worker starts a job that another process has enqueued.

use std::time::Duration;

use dolmen::{AppPorts, BoxError, PortResult, WriteTx};
use dolmen_sql::{SqlDatabase, sql};

use super::Options;
use crate::generator::Latencies;
use crate::process::Process;
use crate::shop::{self, OrderPlaced};

/// Longer than the longest pause of a worker that finds nothing.
const REST: Duration = Duration::from_secs(12);

pub(super) async fn measure(url: &str, sql: &SqlDatabase, options: Options) -> Result<(), BoxError> {
    let worker = Process::start(url, "worker", &[]).await?;
    let ports = shop::idle(sql);
    let mut number = 0;
    // They open connections and prepare statements; and a worker that finds some looks often.
    for _ in 0..10 {
        place(&ports, &mut number).await?;
    }
    let first = number;
    for _ in 0..options.probes {
        place(&ports, &mut number).await?;
    }
    let last = number;
    tokio::time::sleep(REST).await;
    for _ in 0..options.rests {
        place(&ports, &mut number).await?;
        tokio::time::sleep(REST).await;
    }
    let mut starts = starts(sql, first).await?;
    worker.end().await?;
    if i64::try_from(starts.len())? != number - first {
        return Err(format!("{} of {} jobs were started", starts.len(), number - first).into());
    }
    let [mut steady, mut rested] = [Latencies::default(), Latencies::default()];
    for (number, micros) in starts.drain(..) {
        let times = if number < last { &mut steady } else { &mut rested };
        times.add_micros(u64::try_from(micros).unwrap_or_default());
    }
    let [p50, p99, longest] = steady.at([500, 990, 1_000])?;
    print!(
        "  started by another process: p50 {p50:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms of {}",
        options.probes
    );
    if options.rests > 0 {
        let [longest] = rested.at([1_000])?;
        print!("; after {} s without jobs {longest:.1} ms, the longer of {}", REST.as_secs(), options.rests);
    }
    println!();
    Ok(())
}

/// Enqueues one job, and pauses.
async fn place(ports: &AppPorts, number: &mut i64) -> Result<(), BoxError> {
    let events = ports.events();
    let placed = OrderPlaced {
        number: *number,
        customer: "Ada Stone".to_owned(),
        carrier_ms: 0,
        placed_at_us: ports.clock().now().as_unix_micros(),
    };
    let write = async |tx: &mut WriteTx| -> PortResult<()> { events.publish(tx, &placed).await.map(drop) };
    ports.database().system().write(write).await?;
    // Not a steady beat: a worker that polls would always be met at the same moment.
    let pause = 90 + number.unsigned_abs() * 37 % 83;
    tokio::time::sleep(Duration::from_millis(pause)).await;
    *number += 1;
    Ok(())
}

/// What was started from this number on, and after how many microseconds.
async fn starts(sql: &SqlDatabase, from: i64) -> Result<Vec<(i64, i64)>, BoxError> {
    let database = sql.database();
    let read = database.system().read(async |tx| {
        sql!("select number, started_after_us from bench_shipment where number >= ?", from)
            .fetch_all::<(i64, i64)>(tx)
            .await
    });
    Ok(read.await?)
}
