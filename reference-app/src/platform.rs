//! The platform: which adapter stands behind which port. The one place that chooses.

use std::sync::Arc;

use dolmen::{
    AppPorts, AuditTrail, Authenticator, Clock, Inbox, LinkVerifier, Mailer, ObjectStore, PortResult,
    SessionAuthenticator, Sessions, SystemClock,
};
use dolmen_directory::{DirectoryMailer, DirectoryObjectStore, LinkSigner};
use dolmen_sql::{SqlDatabase, SqlOptions};

use crate::config::Config;

/// Where the public port serves objects.
const OBJECTS_PATH: &str = "/objects/";

/// The adapters of one process.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Platform {
    /// What the application itself runs on.
    pub app: AppPorts,
    /// Who did what.
    pub audit: AuditTrail,
    /// Requests that were handled.
    pub inbox: Arc<dyn Inbox>,
    /// Opens and closes sessions.
    pub sessions: Sessions,
    /// Who calls.
    pub authenticator: Arc<dyn Authenticator>,
    /// Where objects lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Checks the links to objects.
    pub links: Arc<dyn LinkVerifier>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// The database's own adapter, for its health check.
    pub sql: SqlDatabase,
}

impl Platform {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    /// What keeps an adapter from opening: a wrong URL, a database that cannot be reached, a folder that cannot be
    /// written.
    pub async fn open(config: &Config) -> PortResult<Self> {
        Self::open_with(config, Arc::new(SystemClock)).await
    }

    /// Opens everything with a clock of the caller's, for tests.
    ///
    /// # Errors
    /// As [`Platform::open`].
    pub async fn open_with(config: &Config, clock: Arc<dyn Clock>) -> PortResult<Self> {
        let mut options = SqlOptions::new().with_read_urls(config.database_read_urls.clone());
        options.migration_url = config.migration_url.clone();
        let sql = SqlDatabase::connect(config.database_url.reveal(), options).await?;
        let stores = sql.stores();
        let links = LinkSigner::new(config.signing_key.bytes(), OBJECTS_PATH, Arc::clone(&clock))?;
        let app = AppPorts::from(stores.clone()).with_clock(Arc::clone(&clock));
        Ok(Self {
            audit: AuditTrail::new(stores.audit, Arc::clone(&clock), Arc::clone(app.ids())),
            app,
            inbox: stores.inbox,
            sessions: Sessions::new(Arc::clone(&stores.sessions), Arc::clone(&clock)),
            authenticator: Arc::new(SessionAuthenticator::new(
                stores.database,
                stores.sessions,
                Arc::clone(&clock),
            )),
            objects: Arc::new(
                DirectoryObjectStore::open(config.data_dir.join("objects"), links.clone()).await?,
            ),
            links: Arc::new(links),
            mailer: Arc::new(DirectoryMailer::open(config.data_dir.join("mail"), clock).await?),
            sql,
        })
    }
}
