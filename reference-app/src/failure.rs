//! How the program ends when it cannot go on: one line per problem, and an exit code.

use std::fmt;
use std::process::ExitCode;

use dolmen::config::ConfigProblems;
use dolmen::{ErrorKind, PortError, RunError, error_chain};

/// Why the program ends.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The configuration is wrong: exit code 2.
    Config(ConfigProblems),
    /// Something outside is not as it should be, such as a database that cannot be reached: exit code 3.
    Environment(PortError),
    /// The application failed: exit code 1.
    Run(RunError),
    /// The demo did not go as told: exit code 1.
    Demo(String),
}

impl Failure {
    /// 2 for configuration, 3 for the environment, 1 for the rest.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) => 2,
            Self::Environment(error) if error.kind() == ErrorKind::InvalidInput => 2,
            Self::Environment(_) => 3,
            Self::Run(error) => error.exit_code(),
            Self::Demo(_) => 1,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(problems) => write!(f, "{problems}"),
            // For the operator, not for clients: the causes help, and adapters keep secrets out of them.
            Self::Environment(error) => write!(f, "error[environment]: {}", error.chain()),
            Self::Run(error) => write!(f, "error[run]: {}", error_chain(error)),
            Self::Demo(reason) => write!(f, "error[demo]: {reason}"),
        }
    }
}

impl From<ConfigProblems> for Failure {
    fn from(problems: ConfigProblems) -> Self {
        Self::Config(problems)
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Environment(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}
