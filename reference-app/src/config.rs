//! The configuration: which variables there are, and what they mean together.

use std::path::{Path, PathBuf};

use dolmen::config::{ConfigProblem, Env, Refusal, SettingValue, Variable};
use dolmen::{AppSettings, BuildInfo, Environment, LogSettings, MailAddress, Role, Secret};
use dolmen_poem::{HttpSettings, ManagementSettings};
use dolmen_sql::DatabaseUrl;

const DATA_DIR: Variable =
    Variable::own("DATA_DIR", "where the embedded database, mails and objects lie", "./var");
const DATABASE_URL: Variable = Variable::conventional(
    "DATABASE_URL",
    "the database; outside production a SQLite file by default",
    "sqlite:var/dolmen.db",
);
const DATABASE_READ_URLS: Variable = Variable::conventional(
    "DATABASE_READ_URLS",
    "read replicas of a database server, with a comma between them; empty for none",
    "postgres://app@replica-1/app,postgres://app@replica-2/app",
);
const DATABASE_MIGRATION_URL: Variable = Variable::conventional(
    "DATABASE_MIGRATION_URL",
    "the same database for migrations, when DATABASE_URL leads through a pooler such as PgBouncer",
    "postgres://app:secret@db.internal:5432/app",
);
const SIGNING_KEY: Variable = Variable::own(
    "SIGNING_KEY",
    "signs the links to objects; the same for all instances, at least 32 characters",
    "$(openssl rand -hex 32)",
);
const MAIL_FROM: Variable = Variable::own("MAIL_FROM", "the sender of mails", "invoices@example.com");

/// Signs links on a developer's machine, where they protect nothing.
const DEVELOPMENT_KEY: &str = "development-only-development-only";
const SHORTEST_KEY: usize = 32;

/// Everything that the program reads from its environment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Roles, environment, start and end, worker.
    pub app: AppSettings,
    /// How to log.
    pub log: LogSettings,
    /// The public port.
    pub http: HttpSettings,
    /// The management port.
    pub management: ManagementSettings,
    /// Where mails and objects lie.
    pub data_dir: PathBuf,
    /// The database.
    pub database_url: Secret<String>,
    /// Its read replicas; empty for none.
    pub database_read_urls: Secret<String>,
    /// The same database for migrations: directly, when all else goes through a pooler.
    pub migration_url: Option<Secret<String>>,
    /// Signs the links to objects.
    pub signing_key: SigningKey,
    /// The sender of mails.
    pub mail_from: MailAddress,
}

impl Config {
    /// Reads everything; `None` together with problems in `env`.
    pub fn load(env: &mut Env) -> Option<Self> {
        let app = AppSettings::load(env).with_build(build_info());
        let environment = app.environment;
        let log = LogSettings::load(env, environment);
        let http = HttpSettings::load(env);
        let management = ManagementSettings::load(env);
        ports_differ(env, &http, &management);
        let data_dir = PathBuf::from(env.or(&DATA_DIR, "./var".to_owned()));
        let database_url = database_url(env, environment, &data_dir);
        let database_read_urls = database_read_urls(env, database_url.as_ref());
        let migrates = !environment.is_production() || app.roles.contains(Role::Migrate);
        let migration_url = migration_url(env, database_url.as_ref(), migrates);
        let signing_key = signing_key(env, environment);
        let mail_from = mail_from(env, environment);
        Some(Self {
            app,
            log,
            http,
            management,
            data_dir,
            database_url: database_url?,
            database_read_urls,
            migration_url,
            signing_key: signing_key?,
            mail_from: mail_from?,
        })
    }

    /// Whether the demo tenant is there.
    pub fn has_demo(&self) -> bool {
        !self.app.environment.is_production()
    }
}

fn build_info() -> BuildInfo {
    BuildInfo::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).with_git_sha(option_env!("GIT_SHA"))
}

fn database_url(env: &mut Env, environment: Environment, data_dir: &Path) -> Option<Secret<String>> {
    if environment.is_production() {
        return env.required(&DATABASE_URL, "every role").map(|url: CheckedUrl| url.0);
    }
    let embedded = format!("sqlite:{}", data_dir.join("dolmen.db").display());
    Some(env.or(&DATABASE_URL, CheckedUrl(Secret::new(embedded))).0)
}

fn database_read_urls(env: &mut Env, primary: Option<&Secret<String>>) -> Secret<String> {
    let urls = env.or(&DATABASE_READ_URLS, ReadUrls(Secret::new(String::new()))).0;
    if let Some(Ok(primary)) = primary.map(|primary| DatabaseUrl::parse(primary.reveal()))
        && let Err(error) = DatabaseUrl::parse_replicas(urls.reveal(), &primary)
    {
        let fix =
            "set it to the URLs of replicas of DATABASE_URL, with a comma between them, or leave it out";
        env.report(ConfigProblem::error("config/read-urls", format!("DATABASE_READ_URLS: {error}"), fix));
    }
    urls
}

fn migration_url(env: &mut Env, main: Option<&Secret<String>>, migrates: bool) -> Option<Secret<String>> {
    let direct = env.optional(&DATABASE_MIGRATION_URL).map(|url: CheckedUrl| url.0);
    // What is wrong with one of them alone was reported.
    let parsed = |url: &Secret<String>| DatabaseUrl::parse(url.reveal()).ok();
    let (main, way) = (main.and_then(parsed)?, direct.as_ref().and_then(parsed));
    if (migrates || way.is_some())
        && let Err(wrong) = main.check_migrations(way.as_ref())
    {
        let what = format!("DATABASE_MIGRATION_URL: {wrong}");
        let fix = "set DATABASE_MIGRATION_URL to the database of DATABASE_URL without a pooler, or unset it";
        env.report(ConfigProblem::error("config/migration-url", what, fix));
    }
    direct
}

fn ports_differ(env: &mut Env, http: &HttpSettings, management: &ManagementSettings) {
    let (one, other) = (http.bind, management.bind);
    let meet = one == other || one.is_unspecified() || other.is_unspecified();
    if meet && http.port == management.port && http.port != 0 {
        env.report(ConfigProblem::error(
            "config/ports",
            format!("PORT and MANAGEMENT_PORT are both {}", http.port),
            "set MANAGEMENT_PORT to another port, such as 9000",
        ));
    }
}

fn mail_from(env: &mut Env, environment: Environment) -> Option<MailAddress> {
    if environment.is_production() {
        return env.required(&MAIL_FROM, "every role");
    }
    let default = MailAddress::parse("invoices@example.com").ok()?;
    Some(env.or(&MAIL_FROM, default))
}

fn signing_key(env: &mut Env, environment: Environment) -> Option<SigningKey> {
    if environment.is_production() {
        return env.required(&SIGNING_KEY, "every role");
    }
    Some(env.or(&SIGNING_KEY, SigningKey(Secret::new(DEVELOPMENT_KEY.to_owned()))))
}

/// A `DATABASE_URL` whose form is right and whose driver is there; kept as text, which may hold a password.
struct CheckedUrl(Secret<String>);

impl SettingValue for CheckedUrl {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        DatabaseUrl::parse(text).map_err(|error| Refusal::new(format!("is refused: {error}")))?;
        Ok(Self(Secret::new(text.to_owned())))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// A `DATABASE_READ_URLS`, held against `DATABASE_URL` when both are known; kept as text, which may hold passwords.
struct ReadUrls(Secret<String>);

impl SettingValue for ReadUrls {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        Ok(Self(Secret::new(text.to_owned())))
    }

    fn show(&self) -> String {
        if self.0.reveal().is_empty() { "none".to_owned() } else { self.0.to_string() }
    }
}

/// The key of the links to objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey(Secret<String>);

impl SigningKey {
    /// The bytes to sign with.
    pub fn bytes(&self) -> Secret<Vec<u8>> {
        Secret::new(self.0.reveal().clone().into_bytes())
    }
}

impl SettingValue for SigningKey {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() < SHORTEST_KEY {
            return Err(Refusal::new("is shorter than 32 characters"));
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}
