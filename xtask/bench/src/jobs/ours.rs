//! A worker of Dolmen, as an application runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{
    App, AppPorts, AppSettings, BoxError, InlineModule, JobContext, JobError, Role, Roles, WorkerSettings,
};
use dolmen_sql::{SqlDatabase, statement};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;

use super::{Nothing, PATIENCE, Side};

pub(super) struct Ours {
    url: String,
    concurrency: u32,
}

impl Ours {
    pub(super) fn new(url: &str, concurrency: u32) -> Self {
        Self { url: url.to_owned(), concurrency }
    }

    /// As after a while: PostgreSQL has vacuumed what was deleted, and written down what is there.
    async fn tidy(&self) -> Result<(), BoxError> {
        if self.url.starts_with("postgres") {
            let mut connection = PgConnection::connect(&self.url).await?;
            connection.execute("vacuum analyze").await?;
            connection.execute("checkpoint").await?;
            connection.close().await?;
        }
        Ok(())
    }
}

async fn is_any_left(sql: &SqlDatabase) -> Result<bool, BoxError> {
    let database = sql.database();
    let (left,) = database
        .system()
        .read(async |tx| {
            statement!(
                "dolmen",
                "select count(*) from (select 1 from dolmen_job where state = 'active' limit 1) as job"
            )
            .fetch_one::<(i64,)>(tx)
            .await
        })
        .await?;
    Ok(left > 0)
}

#[async_trait]
impl Side for Ours {
    fn name(&self) -> &'static str {
        "Dolmen"
    }

    async fn set_up(&self) -> Result<(), BoxError> {
        self.tidy().await
    }

    async fn done(&self) -> Result<usize, BoxError> {
        let sql = SqlDatabase::connect(&self.url, super::options()).await?;
        let database = sql.database();
        let (done,) = database
            .system()
            .read(async |tx| {
                statement!("dolmen", "select count(*) from dolmen_job where state = 'done'")
                    .fetch_one::<(i64,)>(tx)
                    .await
            })
            .await?;
        database.close().await;
        Ok(usize::try_from(done)?)
    }

    async fn work_off(&self) -> Result<(), BoxError> {
        // An application closes its database when it ends.
        let sql = SqlDatabase::connect(&self.url, super::options()).await?;
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&begun);
        let module = InlineModule::new("bench", move |registrar| {
            let begun = Arc::clone(&counted);
            registrar.job(move |_: Nothing, _: JobContext| {
                begun.fetch_add(1, Ordering::Relaxed);
                async { Ok::<_, JobError>(()) }
            });
        });
        let settings = AppSettings::default()
            .with_worker(WorkerSettings::new().with_concurrency(self.concurrency))
            .with_shutdown_grace(Duration::from_secs(5));
        let app = App::builder(AppPorts::from(sql.stores())).module(module).settings(settings).build();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let mut worker = JoinSet::new();
        worker.spawn(app.run_until(Roles::of(&[Role::Worker]), async {
            drop(ended.await);
        }));
        let waited = tokio::time::timeout(PATIENCE, async {
            while is_any_left(&sql).await? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok::<_, BoxError>(())
        });
        waited.await??;
        drop(end);
        while let Some(ended) = worker.join_next().await {
            ended??;
        }
        Ok(())
    }
}
