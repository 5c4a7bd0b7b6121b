//! The scheduler on fakes: each tick once, whatever clocks and processes do.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use dolmen::{
    App, AppPorts, AppSettings, CatchUp, Clock, Cron, DueTicks, ErrorKind, Job, JobContext, JobError,
    JobFilter, JobQueue, MigrationSet, Module, ModuleName, PortError, PublishedTick, ReadTx, Registrar, Role,
    Roles, Timestamp,
};
use dolmen_testkit::fakes::{
    ManualClock, MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, SequentialIds,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The job of a tick: it knows its time.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    tick: Timestamp,
}

impl Job for Report {
    const KIND: &'static str = "tests.report";
}

/// A module with one schedule.
struct Scheduled(Cron);

impl Module for Scheduled {
    fn name(&self) -> ModuleName {
        ModuleName::new("tests")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.job::<Report>(async |_: Report, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("hourly", self.0.clone(), |tick| Report { tick });
    }
}

const HOURLY: Cron = Cron::new("0 * * * *");
const HOUR: Duration = Duration::from_hours(1);

/// A database that several schedulers share, and the clock of each.
struct Fixture {
    database: MemoryDatabase,
    clock: ManualClock,
    /// Each process makes ids of its own.
    processes: AtomicU16,
}

impl Fixture {
    /// It is 00:30.
    fn new() -> Self {
        let clock = ManualClock::at(at("2026-01-01T00:30:00Z"));
        Self { database: MemoryDatabase::new(), clock, processes: AtomicU16::new(0) }
    }

    fn ports(&self, clock: Arc<dyn Clock>) -> AppPorts {
        AppPorts::with_time(
            self.database.database(),
            Arc::new(MemoryJobQueue::new(&self.database)),
            Arc::new(MemoryScheduleStore::new()),
            clock,
            Arc::new(SequentialIds::series(self.processes.fetch_add(1, Ordering::SeqCst))),
        )
    }

    /// A scheduler process that starts now.
    fn scheduler(&self, cron: Cron) -> DueTicks {
        self.scheduler_with(cron, &self.clock)
    }

    fn scheduler_with(&self, cron: Cron, clock: &ManualClock) -> DueTicks {
        App::builder(self.ports(Arc::new(clock.clone()))).module(Scheduled(cron)).build().due_ticks()
    }

    /// The ticks whose jobs are in the queue, oldest first.
    async fn jobs(&self) -> Vec<String> {
        let queue = MemoryJobQueue::new(&self.database);
        let list = async |tx: &mut ReadTx| queue.list(tx, &JobFilter::all()).await;
        let jobs = self.database.database().system().read(list).await.unwrap();
        let mut ticks: Vec<String> = jobs
            .iter()
            .map(|job| {
                serde_json::from_str::<Report>(&job.payload).unwrap().tick.to_string()[..16].to_owned()
            })
            .collect();
        ticks.sort();
        ticks
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn times(published: &[PublishedTick]) -> Vec<String> {
    published.iter().map(|tick| tick.tick.to_string()[..16].to_owned()).collect()
}

#[tokio::test]
async fn a_schedule_begins_when_it_is_first_seen_and_each_tick_becomes_one_job() {
    let fixture = Fixture::new();
    let scheduler = fixture.scheduler(HOURLY);
    assert!(scheduler.publish().await.unwrap().is_empty(), "nothing of the past is due");
    fixture.clock.advance(HOUR / 2);
    let published = scheduler.publish().await.unwrap();
    assert_eq!(times(&published), ["2026-01-01T01:00"]);
    assert_eq!(published[0].schedule, "tests.hourly");
    for _ in 0..3 {
        assert!(scheduler.publish().await.unwrap().is_empty(), "a tick is published once");
    }
    assert_eq!(fixture.jobs().await, ["2026-01-01T01:00"]);
}

#[tokio::test]
async fn two_schedulers_are_harmless() {
    let fixture = Fixture::new();
    let two = [fixture.scheduler(HOURLY), fixture.scheduler(HOURLY)];
    for _ in 0..5 {
        let (first, second) = tokio::join!(two[0].publish(), two[1].publish());
        assert!(first.unwrap().len() + second.unwrap().len() <= 1);
        fixture.clock.advance(HOUR);
    }
    let expected = ["01", "02", "03", "04"].map(|hour| format!("2026-01-01T{hour}:00"));
    assert_eq!(fixture.jobs().await, expected);
}

#[tokio::test]
async fn what_came_while_nobody_ran_follows_the_policy() {
    let missed = |policy| async move {
        let fixture = Fixture::new();
        let cron = HOURLY.catch_up(policy);
        fixture.scheduler(cron.clone()).publish().await.unwrap();
        fixture.clock.advance(HOUR * 4);
        times(&fixture.scheduler(cron).publish().await.unwrap())
    };
    assert!(missed(CatchUp::Skip).await.is_empty());
    assert_eq!(missed(CatchUp::Latest).await, ["2026-01-01T04:00"]);
    assert_eq!(missed(CatchUp::Backfill(2)).await, ["2026-01-01T03:00", "2026-01-01T04:00"]);
    assert_eq!(missed(CatchUp::Backfill(9)).await.len(), 4);
}

#[tokio::test]
async fn a_first_tick_that_a_restart_missed_is_caught_up() {
    let fixture = Fixture::new();
    fixture.scheduler(HOURLY).publish().await.unwrap();
    fixture.clock.advance(HOUR);
    let published = fixture.scheduler(HOURLY).publish().await.unwrap();
    assert_eq!(times(&published), ["2026-01-01T01:00"], "no tick was ever published, but it had begun");
}

#[tokio::test]
async fn a_clock_that_jumps_neither_repeats_nor_floods_nor_falls_silent() {
    let fixture = Fixture::new();
    let scheduler = fixture.scheduler(HOURLY);
    scheduler.publish().await.unwrap();
    fixture.clock.set(at("2026-01-01T01:10:00Z"));
    assert_eq!(scheduler.publish().await.unwrap().len(), 1);
    // A day ahead by mistake: one run to catch up.
    fixture.clock.set(at("2026-01-02T01:10:00Z"));
    assert_eq!(times(&scheduler.publish().await.unwrap()), ["2026-01-02T01:00"]);
    // Corrected: nothing is repeated, and the next real hour is served.
    fixture.clock.set(at("2026-01-01T01:20:00Z"));
    assert!(scheduler.publish().await.unwrap().is_empty());
    fixture.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(times(&scheduler.publish().await.unwrap()), ["2026-01-01T02:00"]);
    // An hour back, and through the same hours again.
    for time in ["2026-01-01T00:50:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"] {
        fixture.clock.set(at(time));
        assert!(scheduler.publish().await.unwrap().is_empty(), "{time}");
    }
    // The day that came by mistake has its tick already.
    fixture.clock.set(at("2026-01-02T01:00:00Z"));
    assert!(scheduler.publish().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_scheduler_whose_clock_is_wrong_does_not_silence_the_others() {
    let fixture = Fixture::new();
    let sound = fixture.scheduler(HOURLY);
    sound.publish().await.unwrap();
    let tomorrow = ManualClock::at(at("2026-01-02T00:30:00Z"));
    let wrong = fixture.scheduler_with(HOURLY, &tomorrow);
    assert_eq!(times(&wrong.publish().await.unwrap()), ["2026-01-02T00:00"]);
    fixture.clock.advance(HOUR);
    assert_eq!(times(&sound.publish().await.unwrap()), ["2026-01-01T01:00"]);
    let restarted = fixture.scheduler(HOURLY);
    restarted.publish().await.unwrap();
    fixture.clock.advance(HOUR);
    assert_eq!(times(&restarted.publish().await.unwrap()), ["2026-01-01T02:00"]);
}

/// A report that cannot be written while the test says so.
#[derive(Debug)]
struct Fragile(Arc<AtomicBool>);

impl Module for Fragile {
    fn name(&self) -> ModuleName {
        ModuleName::new("tests")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let broken = Arc::clone(&self.0);
        registrar.job::<Huge>(async |_: Huge, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("fragile", HOURLY, move |_| Huge {
            text: "x".repeat(if broken.load(Ordering::SeqCst) { 70_000 } else { 1 }),
        });
        registrar.job::<Report>(async |_: Report, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("sound", HOURLY, |tick| Report { tick });
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Huge {
    text: String,
}

impl Job for Huge {
    const KIND: &'static str = "tests.huge";
}

#[tokio::test]
async fn a_tick_that_cannot_be_published_keeps_no_other_from_it_and_is_tried_again() {
    let fixture = Fixture::new();
    let broken = Arc::new(AtomicBool::new(true));
    let ports = fixture.ports(Arc::new(fixture.clock.clone()));
    let scheduler = App::builder(ports).module(Fragile(Arc::clone(&broken))).build().due_ticks();
    scheduler.publish().await.unwrap();
    fixture.clock.advance(HOUR);
    let error: PortError = scheduler.publish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("tests.fragile"), "{error}");
    assert_eq!(fixture.jobs().await, ["2026-01-01T01:00"], "the other schedule was served");
    broken.store(false, Ordering::SeqCst);
    let published = scheduler.publish().await.unwrap();
    assert_eq!(
        (published[0].schedule.as_str(), times(&published)),
        ("tests.fragile", vec!["2026-01-01T01:00".into()])
    );
}

/// A clock that follows the paused timer of the test.
#[derive(Debug)]
struct TimerClock {
    start: Timestamp,
    origin: Instant,
}

impl Clock for TimerClock {
    fn now(&self) -> Timestamp {
        self.start.plus(self.origin.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn the_role_sleeps_until_each_tick_and_ends_when_asked() {
    let fixture = Fixture::new();
    let origin = Instant::now();
    let clock = TimerClock { start: at("2026-01-01T00:30:00Z"), origin };
    let app = App::builder(fixture.ports(Arc::new(clock)))
        .module(Scheduled(HOURLY))
        .settings(AppSettings::default())
        .build();
    let until_three = tokio::time::sleep(HOUR * 5 / 2 + Duration::from_secs(1));
    // The database is closed with the application, so the jobs are read before.
    let jobs = async {
        tokio::time::sleep_until(origin + HOUR * 5 / 2 + Duration::from_millis(500)).await;
        fixture.jobs().await
    };
    let (ended, jobs) = tokio::join!(app.run_until(Roles::of(&[Role::Scheduler]), until_three), jobs);
    ended.unwrap();
    assert_eq!(jobs, ["01", "02", "03"].map(|hour| format!("2026-01-01T{hour}:00")));
}
