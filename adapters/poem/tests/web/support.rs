//! An application with the module `notes`, running.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    App, AppPorts, AppSettings, BuildInfo, Environment, Principal, Role, Roles, RunError, Shutdown, TenantId,
    UserId, Uuid,
};
use dolmen_poem::{HttpSettings, WebRole};
use dolmen_testkit::fakes::{
    MemoryAuthenticator, MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, RecordingMetrics, SequentialIds,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Call, PATIENCE, call};
use crate::log::keep_log;
use crate::notes::{Gate, Notes};

/// The token that the server knows.
pub(crate) const TOKEN: &str = "token-of-ada";

/// A running application; dropping it ends it.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Arc<Gate>,
    pub(crate) metrics: RecordingMetrics,
    pub(crate) authenticator: MemoryAuthenticator,
    end: Shutdown,
    run: JoinSet<Result<(), RunError>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}, |role| role).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(&mut HttpSettings),
        role: impl FnOnce(WebRole) -> WebRole,
    ) -> Self {
        keep_log();
        let mut settings = HttpSettings::new(0);
        settings.bind = [127, 0, 0, 1].into();
        change(&mut settings);
        let (metrics, authenticator, gate) =
            (RecordingMetrics::new(), MemoryAuthenticator::new(), Arc::new(Gate::default()));
        authenticator.grant(TOKEN, ada());
        let web = role(WebRole::new(settings, Arc::new(authenticator.clone())));
        let mut address = web.address();
        let app = App::builder(ports().with_metrics(metrics.metrics()))
            .settings(app_settings())
            .module(Notes(Arc::clone(&gate)))
            .runner(web)
            .build();
        let (end, mut run) = (Shutdown::new(), JoinSet::new());
        let ending = end.drain_token().cancelled_owned();
        run.spawn(app.run_until(Roles::of(&[Role::Web]), ending));
        let address = tokio::select! {
            address = timeout(PATIENCE, address.bound()) => address.unwrap().expect("it listens"),
            ended = run.join_next() => panic!("it ended: {ended:?}"),
        };
        Self { address, gate, metrics, authenticator, end, run }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        call(self.address, method, path)
    }

    /// A request of somebody who is signed in.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Call {
        self.call(method, path).token(TOKEN)
    }

    /// Asks the application to end, as SIGTERM does.
    pub(crate) fn stop(&self) {
        self.end.start_drain();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), RunError> {
        timeout(PATIENCE, self.run.join_next()).await.expect("its end in time").unwrap().unwrap()
    }
}

pub(crate) fn ada() -> Principal {
    Principal::new(UserId::new(Uuid::from_u128(7)), TenantId::new(Uuid::from_u128(2)), "admin")
}

pub(crate) fn app_settings() -> AppSettings {
    AppSettings::new(Environment::Development)
        .with_build(BuildInfo::new("notes-app", "1.2.3"))
        .with_shutdown_grace(Duration::from_secs(1))
}

pub(crate) fn ports() -> AppPorts {
    let database = MemoryDatabase::new();
    AppPorts::with_time(
        database.database(),
        Arc::new(MemoryJobQueue::new(&database)),
        Arc::new(MemoryScheduleStore::new()),
        Arc::new(database.clock().clone()),
        Arc::new(SequentialIds::new()),
    )
}
