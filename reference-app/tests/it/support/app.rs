//! The reference app in this process, wired by the functions that `main` calls, on a clock of the test's own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dolmen::config::Env;
use dolmen::{Database, DueTicks, IdGenerator, PortResult, RunError, TenantId, Timestamp, UuidV7Ids};
use dolmen_reference_app::config::Config;
use dolmen_reference_app::modules::{self, Wired};
use dolmen_reference_app::platform::Platform;
use dolmen_sql::test_database::TestDatabase;
use dolmen_testkit::fakes::ManualClock;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Backend, Client, PATIENCE, eventually};

/// A variable and its value.
type Setting = (&'static str, String);

/// When each application begins. Its clock stands still until the test moves it.
const NOW: &str = "2026-10-15T12:00:00Z";
pub(crate) const DEMO: (&str, &str) = accounts::DEMO_USER;

pub(crate) struct TestApp {
    /// Somebody who has not signed in.
    pub(crate) anybody: Client,
    /// The demo user, signed in.
    pub(crate) demo: Client,
    /// Where probes and operations are.
    pub(crate) management: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) database: Database,
    /// The schedules, published by the test.
    pub(crate) ticks: DueTicks,
    folder: TempDir,
    place: Option<TestDatabase>,
    stop: oneshot::Sender<()>,
    running: JoinSet<Result<(), RunError>>,
}

/// The configuration of an application on free ports with all its files in `folder`.
fn config(folder: &Path, settings: &[Setting]) -> Config {
    let base = [
        ("APP_DATA_DIR", folder.display().to_string()),
        ("APP_HTTP_BIND", "127.0.0.1".to_owned()),
        ("PORT", "0".to_owned()),
        ("MANAGEMENT_PORT", "0".to_owned()),
    ];
    let mut env = Env::from_pairs(Env::DEFAULT_PREFIX, base.into_iter().chain(settings.iter().cloned()));
    let config = Config::load(&mut env);
    env.finish_with(config).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The variables that lead an application to a database.
pub(crate) fn database_variables(place: &TestDatabase) -> Vec<Setting> {
    let direct = place.migration_url().map(|url| ("DATABASE_MIGRATION_URL", url.to_owned()));
    [("DATABASE_URL", place.url().to_owned())].into_iter().chain(direct).collect()
}

impl TestApp {
    pub(crate) async fn start(backend: Backend) -> Self {
        let place = backend.database().await;
        let urls = place.as_ref().map(database_variables).unwrap_or_default();
        let folder = TempDir::new().unwrap();
        let config = config(folder.path(), &urls);
        let clock = ManualClock::at(NOW.parse().unwrap());
        let platform = Platform::open_with(&config, Arc::new(clock.clone())).await.unwrap();
        let Wired { app, mut web, mut management, .. } = modules::wire(&config, &platform);
        let (ticks, database) = (app.due_ticks(), app.ports().database().clone());
        let (stop, stopped) = oneshot::channel();
        let mut running = JoinSet::new();
        running.spawn(app.run_until(config.app.roles.clone(), async move { drop(stopped.await) }));
        let bound = async { (web.bound().await.unwrap(), management.bound().await.unwrap()) };
        let (api, management) = tokio::select! {
            bound = timeout(PATIENCE, bound) => bound.expect("it listens in time"),
            ended = running.join_next() => panic!("it ended: {ended:?}"),
        };
        let anybody = Client::of(api).await;
        let demo = anybody.signed_in(DEMO.0, DEMO.1).await;
        Self { anybody, demo, management, clock, database, ticks, folder, place, stop, running }
    }

    /// Ends the application as SIGTERM does, and looks whether it ended well.
    pub(crate) async fn finish(mut self) {
        drop(self.stop);
        let ended = timeout(PATIENCE, self.running.join_next()).await.expect("it ends in time");
        ended.expect("a run").expect("no panic").expect("a good end");
        if let Some(place) = self.place {
            place.remove(&self.database).await;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        dolmen::Clock::now(&self.clock)
    }

    /// The mails that it sent.
    pub(crate) fn mails(&self) -> Vec<String> {
        texts(self.folder.path(), "eml")
    }

    /// The reports that lie in its object store.
    pub(crate) fn reports(&self) -> Vec<PathBuf> {
        files_below(self.folder.path(), "csv")
    }

    /// Waits until no job waits or runs.
    pub(crate) async fn all_jobs_done(&self) {
        let operations = Client::of(self.management).await;
        eventually("the end of all jobs", async || {
            let jobs = operations.get("/ops/jobs").send().await.json(200);
            let kinds = jobs["kinds"].as_array().unwrap();
            let busy = |kind: &&serde_json::Value| {
                ["ready", "scheduled", "running"].iter().any(|state| kind[state] != 0)
            };
            kinds.iter().find(busy).is_none().then_some(())
        })
        .await;
    }

    /// A user of another tenant, signed in. The application has no route for this: it is made in the database.
    pub(crate) async fn other_tenant(&self) -> (TenantId, Client) {
        let ids = UuidV7Ids::new();
        let (tenant, user) = (ids.next(), ids.next());
        let email = format!("{}@example.org", user.simple());
        let made: PortResult<()> = self
            .database
            .system()
            .write(async |tx| {
                dolmen_sql::statement!(
                    "accounts",
                    "insert into accounts_tenant (id, name) values (?, ?)",
                    tenant,
                    "Rivals"
                )
                .execute(tx)
                .await?;
                dolmen_sql::statement!(
                    "accounts",
                    "insert into accounts_user (id, tenant, email, password_hash, role)
                     select ?, ?, ?, password_hash, role from accounts_user where email = ?",
                    user,
                    tenant,
                    email.as_str(),
                    DEMO.0
                )
                .execute(tx)
                .await?;
                Ok(())
            })
            .await;
        made.unwrap();
        (TenantId::new(tenant), self.anybody.signed_in(&email, DEMO.1).await)
    }

    /// What users did, in that order.
    pub(crate) async fn audited(&self) -> Vec<(String, String)> {
        let rows: PortResult<Vec<(String, String)>> = self
            .database
            .system()
            .read(async |tx| {
                dolmen_sql::statement!("dolmen", "select action, target from dolmen_audit order by id")
                    .fetch_all(tx)
                    .await
            })
            .await;
        rows.unwrap()
    }
}

/// The files below a folder with this extension, in order.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let found =
        entries.flat_map(|path| if path.is_dir() { files_below(&path, extension) } else { vec![path] });
    let mut files: Vec<PathBuf> =
        found.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

/// What stands in them.
pub(crate) fn texts(folder: &Path, extension: &str) -> Vec<String> {
    files_below(folder, extension).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
