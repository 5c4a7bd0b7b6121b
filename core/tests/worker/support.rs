//! An application with one kind of job, on fakes, and waiting for what should come.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{
    App, AppBuilder, AppPorts, AppSettings, BoxError, Database, DueJobs, Enqueued, Job, JobHandler, JobId,
    JobQueue, JobRecord, JobState, Metric, MetricKind, MigrationSet, Module, ModuleName, PortResult, ReadTx,
    Registrar, Role, RoleRunner, Roles, RunContext, RunError, WorkerSettings, WriteTx,
};
use dolmen_testkit::fakes::{
    ManualClock, MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, MemoryTable, RecordingMetrics,
    SequentialIds,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::open_database::OpenDatabase;
use crate::spy::SpyQueue;

/// The job of most tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work;

impl Job for Work {
    const KIND: &'static str = "tests.work";
}

/// A job with a second, and three attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Brief;

impl Job for Brief {
    const KIND: &'static str = "tests.brief";
    const TIMEOUT: Duration = Duration::from_secs(1);
    const MAX_ATTEMPTS: u32 = 3;
}

struct OneKind<J, H> {
    handler: H,
    job: std::marker::PhantomData<fn() -> J>,
}

impl<J: Job, H: JobHandler<J> + Clone> Module for OneKind<J, H> {
    fn name(&self) -> ModuleName {
        ModuleName::new("tests")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.job::<J>(self.handler.clone());
    }
}

/// Effects of jobs: rows without a unique constraint, numbered as they come.
const EFFECTS: MemoryTable<usize, String> = MemoryTable::new("tests_effect");

/// Writes an effect; for `JobContext::complete`.
pub(crate) async fn write_effect(tx: &mut WriteTx, text: &str) -> PortResult<()> {
    let number = EFFECTS.len(tx)?;
    EFFECTS.insert(tx, number, text.to_owned())
}

/// Ports on fakes.
pub(crate) struct Fixture {
    pub(crate) memory: MemoryDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) queue: SpyQueue,
    pub(crate) ports: AppPorts,
    metrics: RecordingMetrics,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let database = MemoryDatabase::new();
        let queue = SpyQueue::new(MemoryJobQueue::new(&database));
        let metrics = RecordingMetrics::new();
        let ports = AppPorts::with_time(
            Database::new(OpenDatabase(database.clone())),
            Arc::new(queue.clone()),
            Arc::new(MemoryScheduleStore::new()),
            Arc::new(database.clock().clone()),
            Arc::new(SequentialIds::new()),
        )
        .with_metrics(metrics.metrics());
        Self { clock: database.clock().clone(), memory: database, queue, ports, metrics }
    }

    /// Runs due jobs of an application whose only kind is `J`.
    pub(crate) fn due_jobs<J: Job>(&self, handler: impl JobHandler<J> + Clone) -> DueJobs {
        self.app(handler, WorkerSettings::new()).build().due_jobs()
    }

    fn app<J: Job>(&self, handler: impl JobHandler<J> + Clone, settings: WorkerSettings) -> AppBuilder {
        let module = OneKind { handler, job: std::marker::PhantomData };
        let settings =
            AppSettings::default().with_worker(settings).with_shutdown_grace(Duration::from_millis(50));
        App::builder(self.ports.clone()).module(module).settings(settings)
    }

    /// A worker that runs.
    pub(crate) fn start<J: Job>(
        &self,
        handler: impl JobHandler<J> + Clone,
        settings: WorkerSettings,
    ) -> Running {
        let draining = Arc::new(Notify::new());
        let app = self.app(handler, settings).runner(DrainWatch(Arc::clone(&draining))).build();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut task = JoinSet::new();
        task.spawn(app.run_until(Roles::of(&[Role::Worker]), async { drop(stopped.await) }));
        Running { stop, task, draining }
    }

    pub(crate) async fn enqueue<J: Job>(&self, job: &J) -> JobId {
        let jobs = self.ports.jobs();
        let write =
            self.ports.database().system().write(async |tx: &mut WriteTx| jobs.enqueue(tx, job).await);
        write.await.map(Enqueued::id).unwrap()
    }

    pub(crate) async fn enqueue_many<J: Job>(&self, all: &[J]) {
        let jobs = self.ports.jobs();
        let write =
            self.ports.database().system().write(async |tx: &mut WriteTx| jobs.enqueue_all(tx, all).await);
        write.await.unwrap();
    }

    pub(crate) async fn find(&self, job: JobId) -> Option<JobRecord> {
        let queue = &self.queue;
        let found = self.ports.database().system().read(async |tx: &mut ReadTx| queue.find(tx, job).await);
        found.await.unwrap()
    }

    pub(crate) async fn record(&self, job: JobId) -> JobRecord {
        self.find(job).await.unwrap()
    }

    pub(crate) async fn state(&self, job: JobId) -> JobState {
        self.record(job).await.state
    }

    pub(crate) async fn until_state(&self, job: JobId, state: JobState) {
        until("the job's state", async || self.state(job).await == state).await;
    }

    pub(crate) async fn effects(&self) -> Vec<String> {
        let read = self.ports.database().system().read(async |tx: &mut ReadTx| EFFECTS.scan(tx, |_, _| true));
        read.await.unwrap().into_iter().map(|(_, text)| text).collect()
    }

    /// Lets leases run out, and says how many jobs are ready again and how many are dead.
    pub(crate) async fn let_leases_run_out(&self) -> (u64, u64) {
        self.clock.advance(Duration::from_hours(25));
        let rescued = self.queue.inner.rescue(100).await.unwrap();
        (rescued.requeued, rescued.buried)
    }

    pub(crate) fn heartbeats(&self) -> usize {
        self.queue.knobs.heartbeats.load(Ordering::SeqCst)
    }

    /// Has the queue note what is in flight when it is asked for more.
    pub(crate) fn watch_claims(&self) {
        drop(self.queue.knobs.metrics.set(self.metrics.clone()));
    }

    pub(crate) fn claims(&self) -> usize {
        self.queue.knobs.claims.load(Ordering::SeqCst)
    }

    pub(crate) fn prunes(&self) -> usize {
        self.queue.knobs.prunes.load(Ordering::SeqCst)
    }

    pub(crate) fn down(&self, down: bool) {
        self.queue.knobs.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn finished(&self, kind: &str, outcome: &str) -> u64 {
        self.metrics.counter(counter("dolmen_jobs_finished", &["kind", "outcome"]), &[kind, outcome])
    }

    pub(crate) fn unclaimable(&self) -> Option<f64> {
        self.metrics.gauge(metric("dolmen_jobs_unclaimable", &[], MetricKind::Gauge), &[])
    }

    pub(crate) fn oldest_snapshot_seconds(&self) -> Option<f64> {
        self.metrics.gauge(metric("dolmen_database_oldest_snapshot_seconds", &[], MetricKind::Gauge), &[])
    }

    pub(crate) fn counted(&self, name: &'static str, kind: &str) -> u64 {
        self.metrics.counter(counter(name, &["kind"]), &[kind])
    }
}

/// The recorder finds a metric by its name, so a copy of its declaration serves.
pub(crate) fn metric(
    name: &'static str,
    labels: &'static [&'static str],
    kind: MetricKind,
) -> &'static Metric {
    Box::leak(Box::new(Metric { name, help: "", unit: "", labels, kind }))
}

fn counter(name: &'static str, labels: &'static [&'static str]) -> &'static Metric {
    metric(name, labels, MetricKind::Counter)
}

/// Quick to look, so that tests are quick.
pub(crate) fn quick() -> WorkerSettings {
    WorkerSettings::new()
        .with_poll(Duration::from_millis(10), Duration::from_millis(20))
        .with_lease(Duration::from_millis(300))
}

/// An application that runs.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinSet<Result<(), RunError>>,
    draining: Arc<Notify>,
}

impl Running {
    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self) {
        drop(self.stop);
        let ended = timeout(Duration::from_secs(10), self.task.join_next()).await;
        ended.expect("the application should end").unwrap().unwrap().unwrap();
    }

    /// Asks it to end, and goes on when its drain has begun.
    pub(crate) async fn drain(self) -> JoinSet<Result<(), RunError>> {
        drop(self.stop);
        self.draining.notified().await;
        self.task
    }
}

/// Tells the test that the drain has begun.
struct DrainWatch(Arc<Notify>);

#[async_trait]
impl RoleRunner for DrainWatch {
    fn role(&self) -> Option<Role> {
        Some(Role::Worker)
    }

    fn name(&self) -> &'static str {
        "drain watch"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        context.ready();
        context.shutdown().draining().await;
        self.0.notify_one();
        Ok(())
    }
}

/// Waits until `holds`, at most ten seconds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let holds = async {
        let mut pulse = interval(Duration::from_millis(2));
        while !holds().await {
            pulse.tick().await;
        }
    };
    assert!(timeout(Duration::from_secs(10), holds).await.is_ok(), "waited too long for {what}");
}
