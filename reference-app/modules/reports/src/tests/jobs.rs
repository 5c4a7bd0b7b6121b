//! The jobs on fakes: on demand, every night, and when the object store is down.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dolmen::{
    InlineModule, Job, JobFilter, JobOutcome, JobState, Module, ObjectStore, Principal, Scope, TenantId,
    UserId, Uuid,
};
use dolmen_ports::{ClaimRequest, KnownKind, WorkerId};
use dolmen_testkit::{TestApp, assert_enqueued};

use super::memory::{MemoryReports, REPORTS};
use super::neighbours::{ADA, BOB, FragileObjects, TwoTenants};
use crate::application::{MakeReport, RequestNightly, StartNightly, UseCases};
use crate::domain::{Month, Report, ReportId, ReportStatus};
use crate::module::ReportsModule;
use crate::ports::ReportsPorts;

pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) objects: FragileObjects,
    reports: Arc<UseCases>,
}

fn scene() -> Scene {
    scene_with(|use_cases| ReportsModule { use_cases })
}

pub(super) fn scene_with<M: Module>(module: impl FnOnce(Arc<UseCases>) -> M) -> Scene {
    let builder = TestApp::builder()
        .module(|_| InlineModule::new("accounts", |_| ()))
        .module(|_| InlineModule::new("invoices", |_| ()));
    let fakes = builder.fakes().clone();
    let objects = FragileObjects { objects: fakes.objects().clone(), down: Arc::default() };
    let ports = ReportsPorts {
        database: fakes.database(),
        accounts: Arc::new(TwoTenants),
        invoices: Arc::new(TwoTenants),
        objects: Arc::new(objects.clone()),
        jobs: fakes.app().jobs(),
        audit: fakes.audit(),
        clock: Arc::clone(fakes.app().clock()),
        ids: Arc::clone(fakes.app().ids()),
    };
    let reports = Arc::new(UseCases { ports, reports: Arc::new(MemoryReports) });
    let module = module(Arc::clone(&reports));
    let app = builder.module(|_| module).start().unwrap();
    Scene { app, objects, reports }
}

fn ada() -> Principal {
    Principal::new(UserId::new(Uuid::from_u128(7)), ADA, "admin")
}

impl Scene {
    pub(super) async fn requested(&self) -> Report {
        self.reports.request_report(&ada(), Month::parse("2026-10").unwrap()).await.unwrap()
    }

    pub(super) async fn outcomes(&self) -> Vec<JobOutcome> {
        self.app.drain().await.unwrap().into_iter().map(|run| run.outcome).collect()
    }

    pub(super) async fn status(&self, id: ReportId) -> ReportStatus {
        self.reports.find_report(&ada(), id).await.unwrap().unwrap().1
    }

    async fn csv(&self, tenant: TenantId, report: &Report) -> String {
        let object = self.objects.get(&report.object_key(tenant).unwrap()).await.unwrap();
        String::from_utf8(object.bytes.to_vec()).unwrap()
    }

    /// All reports of all tenants.
    async fn stored(&self) -> Vec<((TenantId, ReportId), Report)> {
        self.app.database().system().read(async |tx| REPORTS.scan(tx, |_, _| true)).await.unwrap()
    }
}

#[tokio::test]
async fn a_report_on_demand_is_queued_made_and_linked() {
    let scene = scene();
    let report = scene.requested().await;
    assert_enqueued!(scene.app, MakeReport, |job| job.report == report.id);
    assert_eq!(scene.status(report.id).await, ReportStatus::Queued);
    assert_eq!(scene.reports.download_url(&ada(), &report).await.unwrap(), None);
    assert_eq!(scene.outcomes().await, [JobOutcome::Done]);
    let (done, status) = scene.reports.find_report(&ada(), report.id).await.unwrap().unwrap();
    assert_eq!(status, ReportStatus::Done);
    assert_eq!(scene.csv(ADA, &report).await, "month,currency,invoices,total_minor\r\n2026-10,EUR,2,300\r\n");
    assert!(scene.reports.download_url(&ada(), &done).await.unwrap().is_some());
    let stranger = Principal::new(UserId::new(Uuid::from_u128(8)), BOB, "admin");
    assert_eq!(scene.reports.find_report(&stranger, report.id).await.unwrap(), None);
}

#[tokio::test]
async fn each_night_hands_one_job_to_each_tenant() {
    let scene = scene();
    // The clock stands at the beginning of 2026; the schedule ticks at 02:15, for the month up to yesterday.
    let ticks = scene.app.advance(Duration::from_hours(2) + Duration::from_mins(14)).await.unwrap();
    assert!(ticks.is_empty(), "{ticks:?}");
    let ticks = scene.app.advance(Duration::from_mins(1)).await.unwrap();
    assert_eq!(ticks.len(), 1, "{ticks:?}");
    assert_enqueued!(scene.app, StartNightly, |job| job.tick == ticks[0].tick);
    scene.app.drain().await.unwrap();
    let requests = scene.app.records(&JobFilter::all().with_kind("reports.request_nightly")).await.unwrap();
    let tenants: Vec<Option<TenantId>> = requests.iter().map(|job| job.tenant).collect();
    assert_eq!(tenants, [Some(ADA), Some(BOB)]);
    assert_enqueued!(scene.app, RequestNightly, |job| job.month == "2025-12");
    let stored = scene.stored().await;
    assert_eq!(stored.iter().map(|((tenant, _), _)| *tenant).collect::<Vec<_>>(), [ADA, BOB]);
    assert!(stored.iter().all(|(_, report)| report.done_at.is_some()), "{stored:?}");
    let header = "month,currency,invoices,total_minor\r\n";
    assert_eq!(scene.csv(ADA, &stored[0].1).await, format!("{header}2025-12,EUR,2,300\r\n"));
    assert_eq!(scene.csv(BOB, &stored[1].1).await, header);
}

#[tokio::test]
async fn a_report_that_cannot_be_stored_is_tried_again_and_then_failed() {
    let scene = scene();
    scene.objects.down.store(true, Ordering::SeqCst);
    let report = scene.requested().await;
    for attempt in 1..=4 {
        assert_eq!(scene.outcomes().await, [JobOutcome::Retried], "{attempt}");
        assert_eq!(scene.status(report.id).await, ReportStatus::Queued);
        scene.app.advance(Duration::from_mins(20)).await.unwrap();
    }
    assert_eq!(scene.outcomes().await, [JobOutcome::Dead]);
    assert_eq!(scene.status(report.id).await, ReportStatus::Failed);
    let dead = scene.app.records(&JobFilter::state(JobState::Dead)).await.unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    scene.app.ignore_leftovers();
}

#[tokio::test]
async fn a_report_whose_workers_die_is_failed_until_an_operator_retries_it() {
    let scene = scene();
    let report = scene.requested().await;
    let queue = scene.app.fakes().queue();
    let minute = Duration::from_mins(1);
    let mut request =
        ClaimRequest::new(WorkerId::new(Uuid::nil()), vec![KnownKind::new(MakeReport::KIND, 1)], 1, minute);
    let mut held = None;
    for crash in 1..=3 {
        assert_eq!(scene.status(report.id).await, ReportStatus::Queued);
        request.last_chances = crash == 3;
        held = queue.claim(&request).await.unwrap().pop();
        assert_eq!(scene.status(report.id).await, ReportStatus::Running);
        scene.app.fakes().clock().advance(minute * 2);
        queue.rescue(1).await.unwrap();
    }
    assert_eq!(scene.status(report.id).await, ReportStatus::Failed);
    let job = held.unwrap().lease.job;
    scene.app.database().system().write(async |tx| queue.retry(tx, job).await).await.unwrap();
    assert_eq!(scene.status(report.id).await, ReportStatus::Queued);
    assert_eq!(scene.outcomes().await, [JobOutcome::Done]);
    assert_eq!(scene.status(report.id).await, ReportStatus::Done);
}

#[tokio::test]
async fn a_report_whose_job_was_discarded_is_failed() {
    let scene = scene();
    let report = scene.requested().await;
    let queue = scene.app.fakes().queue();
    let job = scene.app.records(&JobFilter::all()).await.unwrap()[0].id;
    scene.app.database().system().write(async |tx| queue.discard(tx, job).await).await.unwrap();
    assert_eq!(scene.status(report.id).await, ReportStatus::Failed);
    scene.app.fakes().clock().advance(Duration::from_hours(1));
    assert_eq!(queue.prune(Duration::ZERO, 1).await.unwrap(), 1);
    assert_eq!(scene.status(report.id).await, ReportStatus::Failed);
}

#[tokio::test]
async fn a_store_that_comes_back_in_time_makes_the_report_after_all() {
    let scene = scene();
    scene.objects.down.store(true, Ordering::SeqCst);
    let report = scene.requested().await;
    assert_eq!(scene.outcomes().await, [JobOutcome::Retried]);
    scene.objects.down.store(false, Ordering::SeqCst);
    scene.app.advance(Duration::from_mins(1)).await.unwrap();
    assert_eq!(scene.outcomes().await, [JobOutcome::Done]);
    assert_eq!(scene.status(report.id).await, ReportStatus::Done);
}

#[tokio::test]
async fn a_report_that_is_gone_is_given_up() {
    let scene = scene();
    let gone = MakeReport { report: ReportId::new(Uuid::from_u128(9)) };
    scene.app.enqueue(Scope::Tenant(ADA), &gone).await.unwrap();
    assert_eq!(scene.outcomes().await, [JobOutcome::Discarded]);
    assert!(scene.stored().await.is_empty());
}
