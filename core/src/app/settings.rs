//! How the application behaves as a process.

use std::time::Duration;

use crate::config::{Env, Environment, Variable};
use crate::jobs::WorkerSettings;
use crate::role::Roles;

const ROLE: Variable = Variable::own("ROLE", "the roles of this process", "web,worker");
const SHUTDOWN_DELAY: Variable =
    Variable::own("SHUTDOWN_DELAY", "how long to go on serving after readiness was taken back", "5s");
const SHUTDOWN_GRACE: Variable =
    Variable::own("SHUTDOWN_GRACE", "how long to finish what is under way at the end", "20s");

/// Which program this is.
///
/// # Examples
/// ```
/// use dolmen::BuildInfo;
/// let build = BuildInfo::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).with_git_sha(option_env!("GIT_SHA"));
/// assert_eq!(build.name(), "dolmen");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildInfo {
    name: &'static str,
    version: &'static str,
    git_sha: Option<&'static str>,
}

impl BuildInfo {
    /// The program's name and version.
    pub const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, git_sha: None }
    }

    /// The same, with the commit that it was built from, when the build knows it.
    #[must_use]
    pub const fn with_git_sha(mut self, git_sha: Option<&'static str>) -> Self {
        self.git_sha = git_sha;
        self
    }

    /// The program's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The program's version.
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// The commit that it was built from.
    pub const fn git_sha(&self) -> Option<&'static str> {
        self.git_sha
    }
}

impl Default for BuildInfo {
    fn default() -> Self {
        Self::new("app", "unknown")
    }
}

/// How the application starts and ends. The platform's own grace period must be a few seconds longer than delay and
/// grace together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppSettings {
    /// What kind of place it runs in.
    pub environment: Environment,
    /// Which program it is.
    pub build: BuildInfo,
    /// The roles that the environment asks for; what runs is what [`App::run`](crate::App::run) is given.
    pub roles: Roles,
    /// How the worker works.
    pub worker: WorkerSettings,
    /// How long it goes on serving after readiness was taken back, so that load balancers notice first.
    pub shutdown_delay: Duration,
    /// How long runners may take to finish what they hold.
    pub shutdown_grace: Duration,
    /// How long runners that outlived the grace period may take to stop at once.
    pub stop_deadline: Duration,
    /// How long a module may take to start.
    pub module_start_deadline: Duration,
    /// How long a module may take to stop.
    pub module_stop_deadline: Duration,
    /// How long a health check may take.
    pub check_deadline: Duration,
    /// How often to look whether the schema has arrived.
    pub schema_poll: Duration,
}

impl AppSettings {
    /// The defaults of an environment: in production, five seconds of delay before the drain; elsewhere none.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            build: BuildInfo::default(),
            roles: Roles::all(),
            worker: WorkerSettings::default(),
            shutdown_delay: if environment.is_production() { Duration::from_secs(5) } else { Duration::ZERO },
            shutdown_grace: Duration::from_secs(20),
            stop_deadline: Duration::from_secs(2),
            module_start_deadline: Duration::from_secs(30),
            module_stop_deadline: Duration::from_secs(2),
            check_deadline: Duration::from_secs(2),
            schema_poll: Duration::from_secs(1),
        }
    }

    /// Reads `APP_ENV`, `APP_ROLE`, `APP_SHUTDOWN_DELAY`, `APP_SHUTDOWN_GRACE` and the settings of the worker.
    ///
    /// # Examples
    /// ```
    /// use dolmen::AppSettings;
    /// use dolmen::config::Env;
    /// let mut env = Env::from_pairs("APP", [("APP_ROLE", "wroker"), ("APP_SHUTDOWN_GRACE", "20")]);
    /// AppSettings::load(&mut env);
    /// let problems = env.finish().unwrap_err().to_string();
    /// assert!(problems.contains("did you mean worker?") && problems.contains("APP_SHUTDOWN_GRACE"), "{problems}");
    /// ```
    pub fn load(env: &mut Env) -> Self {
        let defaults = Self::new(Environment::load(env));
        let longest = Duration::from_mins(10);
        Self {
            roles: env.or(&ROLE, defaults.roles),
            worker: WorkerSettings::load(env),
            shutdown_delay: env.or_in(&SHUTDOWN_DELAY, defaults.shutdown_delay, Duration::ZERO..=longest),
            shutdown_grace: env.or_in(&SHUTDOWN_GRACE, defaults.shutdown_grace, Duration::ZERO..=longest),
            ..defaults
        }
    }

    /// The same, as this program.
    #[must_use]
    pub fn with_build(mut self, build: BuildInfo) -> Self {
        self.build = build;
        self
    }

    /// The same, with another delay before the drain.
    #[must_use]
    pub fn with_shutdown_delay(mut self, delay: Duration) -> Self {
        self.shutdown_delay = delay;
        self
    }

    /// The same, with another time to drain.
    #[must_use]
    pub fn with_shutdown_grace(mut self, grace: Duration) -> Self {
        self.shutdown_grace = grace;
        self
    }

    /// The same, with another worker.
    #[must_use]
    pub fn with_worker(mut self, worker: WorkerSettings) -> Self {
        self.worker = worker;
        self
    }
}

impl Default for AppSettings {
    fn default() -> Self {
        Self::new(Environment::Development)
    }
}
