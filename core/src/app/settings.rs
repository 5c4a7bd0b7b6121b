//! How the application behaves as a process.

use std::time::Duration;

/// What kind of place the program runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "either people depend on it or they do not")]
pub enum Environment {
    /// A developer's machine or a test: migrates by itself, allows fakes and demo data.
    #[default]
    Development,
    /// People depend on it: no fakes, no demo data, and only the role `migrate` changes the schema.
    Production,
}

impl Environment {
    /// The name, as in `APP_ENV`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

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
    pub const fn new(environment: Environment) -> Self {
        Self {
            environment,
            build: BuildInfo::new("app", "unknown"),
            shutdown_delay: match environment {
                Environment::Development => Duration::ZERO,
                Environment::Production => Duration::from_secs(5),
            },
            shutdown_grace: Duration::from_secs(20),
            stop_deadline: Duration::from_secs(2),
            module_start_deadline: Duration::from_secs(30),
            module_stop_deadline: Duration::from_secs(2),
            check_deadline: Duration::from_secs(2),
            schema_poll: Duration::from_secs(1),
        }
    }

    /// The same, as this program.
    #[must_use]
    pub const fn with_build(mut self, build: BuildInfo) -> Self {
        self.build = build;
        self
    }

    /// The same, with another delay before the drain.
    #[must_use]
    pub const fn with_shutdown_delay(mut self, delay: Duration) -> Self {
        self.shutdown_delay = delay;
        self
    }

    /// The same, with another time to drain.
    #[must_use]
    pub const fn with_shutdown_grace(mut self, grace: Duration) -> Self {
        self.shutdown_grace = grace;
        self
    }
}

impl Default for AppSettings {
    fn default() -> Self {
        Self::new(Environment::Development)
    }
}
