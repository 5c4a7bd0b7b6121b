//! A worker of Dolmen, as an application runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dolmen::{
    App, AppPorts, AppSettings, BoxError, InlineModule, JobContext, JobError, Role, Roles, WorkerSettings,
};
use dolmen_sql::{Native, SqlDatabase, native, native_error, statement};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use super::{NAME, Nothing, PATIENCE, Plan};

/// How many jobs PostgreSQL keeps that are done.
pub(super) const DONE: &str = "select coalesce(sum(size), 0)::bigint from dolmen_job_done";

/// Enqueues so many jobs.
pub(crate) async fn fill(sql: &SqlDatabase, jobs: usize) -> Result<(), BoxError> {
    let ports = super::idle(sql);
    for chunk in Nothing::many(jobs).chunks(1_000) {
        sql.database().system().write(async |tx| ports.jobs().enqueue_all(tx, chunk).await).await?;
    }
    Ok(())
}

/// How long a worker takes until the database says that no job is left.
pub(super) async fn work_off(sql: &SqlDatabase, url: &str, plan: &Plan) -> Result<Duration, BoxError> {
    tidy(url).await?;
    let started = Instant::now();
    // The start of the application is part of it.
    let settings = WorkerSettings::new().with_concurrency(plan.concurrency);
    let (begun, all_begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (jobs, count, told) = (plan.jobs, Arc::clone(&begun), Arc::clone(&all_begun));
    let worker = Worker::start(AppPorts::from(sql.stores()), settings, move |_: &Nothing| {
        if count.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
            told.notify_one();
        }
    });
    let waited = tokio::time::timeout(PATIENCE, async {
        // Asking walks through what was done and is not vacuumed yet, so not before the end.
        all_begun.notified().await;
        while is_any_left(sql).await? {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, BoxError>(())
    });
    waited.await.map_err(|_| format!("{} of {jobs} jobs were begun", begun.load(Ordering::Relaxed)))??;
    let taken = started.elapsed();
    worker.end().await?;
    // An application closes its database when it ends.
    let sql = SqlDatabase::connect(url, super::options()).await?;
    let done = done(&sql).await?;
    if done != plan.jobs {
        return Err(format!("{done} of {} jobs are done", plan.jobs).into());
    }
    Ok(taken)
}

/// As after a while: PostgreSQL has vacuumed what was deleted, and written down what is there.
pub(crate) async fn tidy(url: &str) -> Result<(), BoxError> {
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(url).await?;
        connection.execute("vacuum analyze").await?;
        connection.execute("checkpoint").await?;
        connection.close().await?;
    }
    Ok(())
}

/// Removes what workers that have ended left of their claims: the next ones are measured without it.
pub(crate) async fn forget_claims(sql: &SqlDatabase) -> Result<(), BoxError> {
    let database = sql.database();
    let write = database
        .system()
        .write(async |tx| statement!("dolmen", "delete from dolmen_job_claim").execute(tx).await);
    write.await?;
    Ok(())
}

pub(crate) async fn is_any_left(sql: &SqlDatabase) -> Result<bool, BoxError> {
    let database = sql.database();
    let read = database.system().read(async |tx| {
        statement!(
            "dolmen",
            "select count(*) from (select 1 from dolmen_job where state = 'active' limit 1) as job"
        )
        .fetch_one::<(i64,)>(tx)
        .await
    });
    Ok(read.await?.0 > 0)
}

async fn done(sql: &SqlDatabase) -> Result<usize, BoxError> {
    let database = sql.database();
    let (jobs,): (i64,) = database
        .system()
        .read(async |tx| match native(tx)? {
            Native::Postgres(connection) => sqlx::query_as(DONE)
                .fetch_one(connection)
                .await
                .map_err(|error| native_error(tx, error, "count the jobs that are done")),
            _ => {
                statement!("dolmen", "select count(*) from dolmen_job where state = 'done'")
                    .fetch_one(tx)
                    .await
            }
        })
        .await?;
    Ok(usize::try_from(jobs)?)
}

/// An application that is nothing but a worker.
pub(super) struct Worker {
    end: oneshot::Sender<()>,
    app: JoinSet<Result<(), BoxError>>,
}

impl Worker {
    /// Starts it; each handler does so much, and no more.
    pub(super) fn start(
        ports: AppPorts,
        settings: WorkerSettings,
        begin: impl Fn(&Nothing) + Clone + Send + Sync + 'static,
    ) -> Self {
        let module = InlineModule::new(NAME.as_str(), move |registrar| {
            let begin = begin.clone();
            registrar.job(move |work: Nothing, _: JobContext| {
                begin(&work);
                async { Ok::<_, JobError>(()) }
            });
        });
        let settings =
            AppSettings::default().with_worker(settings).with_shutdown_grace(Duration::from_secs(5));
        let app = App::builder(ports).module(module).settings(settings).build();
        let (end, ended) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let ended = async {
                drop(ended.await);
            };
            app.run_until(Roles::of(&[Role::Worker]), ended).await.map_err(BoxError::from)
        });
        Self { end, app: tasks }
    }

    pub(super) async fn end(mut self) -> Result<(), BoxError> {
        drop(self.end);
        while let Some(ended) = self.app.join_next().await {
            ended??;
        }
        Ok(())
    }
}
