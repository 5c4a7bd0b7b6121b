//! What people see of schedules: when each came last, when it comes next, and whether anybody publishes its ticks.

#![cfg(test)]

use std::time::Duration;

use dolmen::{
    App, AppPorts, CatchUp, Cron, ErrorKind, InlineModule, Job, JobContext, JobError, JobFilter, Metric,
    MetricKind, ReadTx, Role, Roles, ScheduleStatus, Timestamp,
};
use dolmen_testkit::FakePorts;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Report {}

impl Job for Report {
    const KIND: &'static str = "tests.report";
    const VERSION: u32 = 3;
}

/// An application with an hourly schedule and a nightly one in Berlin; it is midnight in UTC.
fn app(ports: &AppPorts) -> App {
    let module = InlineModule::new("tests", |registrar| {
        registrar.job(async |_: Report, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("hourly", Cron::new("0 * * * *"), |_| Report {});
        let nightly = Cron::new("30 2 * * *").zone("Europe/Berlin").catch_up(CatchUp::Skip);
        registrar.schedule("nightly", nightly, |_| Report {});
    });
    App::builder(ports.clone()).module(module).build()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn list(app: &App) -> [ScheduleStatus; 2] {
    app.schedules().list().await.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn a_schedule_shows_when_it_came_last_and_when_it_comes_next() {
    let fakes = FakePorts::new();
    let app = app(fakes.app());
    let [hourly, nightly] = list(&app).await;
    assert_eq!((hourly.schedule.name.as_str(), hourly.seen, hourly.last_tick), ("tests.hourly", false, None));
    assert_eq!(hourly.next_tick, Some(at("2026-01-01T01:00:00Z")));
    assert_eq!(nightly.next_tick, Some(at("2026-01-01T01:30:00Z")));

    let ticks = app.due_ticks();
    ticks.publish().await.unwrap();
    let [hourly, _] = list(&app).await;
    assert_eq!((hourly.seen, hourly.last_tick), (true, None), "its beginning is no tick, even on the hour");

    fakes.clock().advance(Duration::from_mins(100));
    ticks.publish().await.unwrap();
    let [hourly, nightly] = list(&app).await;
    assert_eq!(
        (hourly.last_tick, hourly.next_tick),
        (Some(at("2026-01-01T01:00:00Z")), Some(at("2026-01-01T02:00:00Z")))
    );
    assert_eq!(
        (nightly.last_tick, nightly.late_ms),
        (None, 0),
        "it was ten minutes too late, and is skipped"
    );
    assert_eq!(app.operations().schedules().await.unwrap(), [hourly, nightly]);
}

#[tokio::test]
async fn a_tick_that_nobody_publishes_is_late() {
    let fakes = FakePorts::new();
    let app = app(fakes.app());
    let ticks = app.due_ticks();
    ticks.publish().await.unwrap();
    fakes.clock().advance(Duration::from_mins(59));
    assert_eq!(list(&app).await.map(|status| status.late_ms), [0, 0]);
    fakes.clock().advance(Duration::from_mins(61));
    assert_eq!(list(&app).await.map(|status| status.late_ms), [3_600_000, 0], "the other one forgets");
    ticks.publish().await.unwrap();
    assert_eq!(list(&app).await.map(|status| status.late_ms), [0, 0]);
}

#[tokio::test]
async fn the_job_of_a_tick_has_the_version_of_its_payload() {
    let fakes = FakePorts::new();
    let app = app(fakes.app());
    app.due_ticks().publish().await.unwrap();
    fakes.clock().advance(Duration::from_hours(1));
    app.due_ticks().publish().await.unwrap();
    let queue = fakes.queue();
    let list = async |tx: &mut ReadTx| queue.list(tx, &JobFilter::all()).await;
    let jobs = fakes.database().system().read(list).await.unwrap();
    let versions: Vec<u32> = jobs.iter().map(|job| job.version).collect();
    assert_eq!(versions, [3]);
}

#[tokio::test]
async fn ticks_to_come_are_told_in_the_zone_of_the_schedule() {
    let fakes = FakePorts::new();
    let app = app(fakes.app());
    fakes.clock().set(at("2026-03-28T12:00:00Z"));
    let nightly = app.schedules().upcoming(Some("tests.nightly"), 2).unwrap();
    let ticks: Vec<(&str, String)> =
        nightly[0].ticks.iter().map(|tick| (tick.local.as_str(), tick.at.to_string())).collect();
    // In this night the clock goes from 02:00 to 03:00.
    let expected = [
        ("2026-03-29 03:00:00 +02:00", "2026-03-29T01:00:00.000000Z".to_owned()),
        ("2026-03-30 02:30:00 +02:00", "2026-03-30T00:30:00.000000Z".to_owned()),
    ];
    assert_eq!((nightly.len(), ticks), (1, expected.to_vec()));
    assert_eq!(app.schedules().upcoming(None, 1).unwrap().len(), 2);
}

#[tokio::test]
async fn an_unknown_schedule_is_told_with_the_name_that_was_meant() {
    let app = app(FakePorts::new().app());
    let refused = |name: &'static str| {
        let error = app.schedules().upcoming(Some(name), 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        error.to_string()
    };
    assert!(refused("tests.nigthly").contains("did you mean tests.nightly?"));
    assert!(refused("x").contains("there are: tests.hourly, tests.nightly"));
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn the_command_prints_last_and_next_ticks() {
    use clap::Parser;
    use dolmen::AppCommand;

    #[derive(Parser)]
    enum Command {
        #[command(flatten)]
        App(AppCommand),
    }

    let fakes = FakePorts::new();
    let app = app(fakes.app());
    let run = async |line: &str| {
        let Command::App(command) = Command::try_parse_from(line.split(' ')).unwrap();
        command.run(&app, fakes.audit()).await
    };
    app.due_ticks().publish().await.unwrap();
    fakes.clock().advance(Duration::from_hours(2));
    assert_eq!(
        run("app schedules list").await.unwrap().lines().collect::<Vec<_>>(),
        [
            "tests.hourly  \"0 * * * *\" UTC  latest  tests.report  last none yet  next 2026-01-01T03:00:00Z  late by 3600 s",
            "tests.nightly  \"30 2 * * *\" Europe/Berlin  skip  tests.report  last none yet  next 2026-01-02T01:30:00Z",
        ]
    );
    assert_eq!(
        run("app schedules next tests.nightly --count 2").await.unwrap().lines().collect::<Vec<_>>(),
        [
            "tests.nightly  \"30 2 * * *\" Europe/Berlin",
            "  2026-01-02 02:30:00 +01:00  2026-01-02T01:30:00Z",
            "  2026-01-03 02:30:00 +01:00  2026-01-03T01:30:00Z",
        ]
    );
    assert_eq!(run("app schedules next").await.unwrap().lines().count(), 2 * (1 + 5));
    assert!(run("app schedules next tests.x").await.is_err());
}

static OVERDUE: Metric =
    Metric { name: "dolmen_schedules_overdue", help: "", unit: "", labels: &[], kind: MetricKind::Gauge };

#[tokio::test(start_paused = true)]
async fn a_worker_tells_of_schedules_that_no_scheduler_serves() {
    let fakes = FakePorts::new();
    let app = app(fakes.app());
    let ticks = app.due_ticks();
    let overdue = {
        let fakes = fakes.clone();
        move || fakes.metrics().gauge(&OVERDUE, &[])
    };
    let minutes = |minutes| tokio::time::sleep(Duration::from_mins(minutes));
    let test = async move {
        minutes(4).await;
        assert_eq!(overdue(), None, "a scheduler that starts at the same time has its time");
        minutes(2).await;
        assert_eq!(overdue(), Some(2.0), "no scheduler has ever seen them");
        ticks.publish().await.unwrap();
        minutes(5).await;
        assert_eq!(overdue(), Some(0.0));
        fakes.clock().advance(Duration::from_mins(64));
        minutes(5).await;
        assert_eq!(overdue(), Some(0.0), "four minutes are not late");
        fakes.clock().advance(Duration::from_mins(1));
        minutes(5).await;
        assert_eq!(overdue(), Some(1.0), "the hourly one waits");
        ticks.publish().await.unwrap();
        minutes(5).await;
        assert_eq!(overdue(), Some(0.0));
    };
    app.run_until(Roles::of(&[Role::Worker]), test).await.unwrap();
}
