//! Schedules, the jobs that their ticks become, and a memory of ticks without its guard.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{
    BoxError, CatchUp, Cron, Database, Job, JobContext, JobError, PortResult, ReadTx, Registrar,
    ScheduleStore, Timestamp, WriteTx,
};
use dolmen_sql::{SqlScheduleStore, sql};
use serde::{Deserialize, Serialize};

use crate::native;
use crate::sabotage::Sabotage;

/// More ticks than any outage of a run has.
const ALL: CatchUp = CatchUp::Backfill(600);

/// The job of a tick.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tick {
    schedule: String,
    /// In seconds since 1970.
    at: i64,
}

impl Job for Tick {
    const KIND: &'static str = "chaos.tick";
}

/// By the clock of a zone: in the hours that are there twice or not at all when it is turned, and at any hour.
const LOCAL: [(&str, &str); 4] = [
    ("early", "45 1 * * *"),
    ("daily", "15 2 * * *"),
    ("local-hourly", "0 * * * *"),
    ("quarterly", "*/15 * * * *"),
];

/// A zone whose clock is turned, by its name.
pub(crate) fn zone(name: &str) -> Result<&'static str, String> {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];
    zones.into_iter().find(|zone| *zone == name).ok_or_else(|| format!("one of {}", zones.join(", ")))
}

/// A schedule of every second and one of every hour that catch up with the latest tick, and perhaps one that catches up with
/// all, and those of a zone, which do too.
pub(crate) fn register(registrar: &mut Registrar<'_>, backfill: bool, zone: Option<&'static str>) {
    let every_second = Cron::new("* * * * * *");
    let local = |(name, expression)| (name, Cron::new(expression).zone(zone.unwrap_or("UTC")).catch_up(ALL));
    let mut schedules: Vec<_> = zone.map(|_| LOCAL).into_iter().flatten().map(local).collect();
    schedules.push(("hourly", Cron::new("0 * * * *").catch_up(CatchUp::Latest)));
    if backfill {
        schedules.push(("all", every_second.clone().catch_up(ALL)));
    }
    // The last one: who sees a tick of it knows that those of the others are published.
    schedules.push(("latest", every_second.catch_up(CatchUp::Latest)));
    for (name, cron) in schedules {
        registrar
            .schedule(name, cron, move |tick| Tick { schedule: name.to_owned(), at: tick.as_unix_seconds() });
    }
    registrar.job(async |_: Tick, _: JobContext| Ok::<(), JobError>(()));
}

/// Prints each tick that is recorded: its schedule and the time in microseconds since 1970. The first one of a schedule is when it
/// was first seen, which is no tick unless by chance.
pub(crate) async fn print(database: &Database) -> Result<(), BoxError> {
    // The framework's table is nobody else's: a view of ours looks into it.
    native::change(database, "drop view if exists chaos_tick").await?;
    native::change(database, "create view chaos_tick as select schedule, tick from dolmen_schedule_tick")
        .await?;
    let read = async |tx: &mut ReadTx| {
        sql!("select schedule, tick from chaos_tick order by schedule, tick").fetch_all(tx).await
    };
    let ticks: Vec<(String, Timestamp)> = database.system().read(read).await?;
    for (schedule, tick) in ticks {
        println!("{schedule} {}", tick.as_unix_micros());
    }
    Ok(())
}

/// Prints the latest tick that is recorded of a schedule, in seconds since 1970; nothing when there is none.
pub(crate) async fn print_last(database: &Database, schedule: &str) -> Result<(), BoxError> {
    let store = SqlScheduleStore::new();
    let read = async |tx: &mut ReadTx| store.last_tick(tx, schedule).await;
    if let Some(last) = database.system().read(read).await? {
        println!("{}", last.as_unix_seconds());
    }
    Ok(())
}

/// The memory of ticks without the guard.
#[derive(Debug)]
pub(crate) struct SabotagedTicks {
    pub(crate) inner: SqlScheduleStore,
    pub(crate) database: Database,
    pub(crate) sabotage: Sabotage,
}

#[async_trait]
impl ScheduleStore for SabotagedTicks {
    async fn record_tick(&self, tx: &mut WriteTx, schedule: &str, tick: Timestamp) -> PortResult<bool> {
        // The first record of a schedule is its beginning, which no job belongs to.
        let last = self.inner.last_tick(tx, schedule).await?;
        match (self.sabotage, last) {
            (Sabotage::NoTickRow, Some(_)) => Ok(true),
            (Sabotage::TickApart, Some(last)) => {
                let (database, schedule) = (self.database.clone(), schedule.to_owned());
                tx.after_commit(move || record_late(database, schedule, tick));
                Ok(last < tick)
            }
            _ => self.inner.record_tick(tx, schedule, tick).await,
        }
    }

    async fn last_tick(&self, tx: &mut ReadTx, schedule: &str) -> PortResult<Option<Timestamp>> {
        self.inner.last_tick(tx, schedule).await
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        self.inner.prune(tx, before, limit).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the sabotage is that nobody waits for it")]
fn record_late(database: Database, schedule: String, tick: Timestamp) {
    let store = Arc::new(SqlScheduleStore::new());
    drop(tokio::spawn(async move {
        let write = async |tx: &mut WriteTx| store.record_tick(tx, &schedule, tick).await;
        if let Err(error) = database.system().write(write).await {
            eprintln!("a tick was not recorded: {}", error.chain());
        }
    }));
}
