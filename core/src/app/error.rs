//! Why a run ended badly.

use std::io;
use std::time::Duration;

use dolmen_ports::{BoxError, ModuleName, PortError};

use super::violation::BuildError;
use crate::role::Role;

/// Why [`App::run`](crate::App::run) ended badly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The modules do not fit together.
    #[error(transparent)]
    Invalid(#[from] BuildError),
    /// The operating system refused to report signals.
    #[error("could not listen for signals")]
    Signals(#[source] io::Error),
    /// A role was chosen that nothing runs.
    #[error("role {role} has no runner; add one with AppBuilder::runner")]
    NoRunner {
        /// The role.
        role: Role,
    },
    /// The schema could not be brought up to date.
    #[error("could not migrate the database")]
    Migrate(#[source] PortError),
    /// A module did not start.
    #[error("module {module} did not start")]
    ModuleStart {
        /// The module.
        module: ModuleName,
        /// Why.
        source: BoxError,
    },
    /// A module's start took too long.
    #[error("module {module} did not start within {} s", deadline.as_secs_f32())]
    ModuleStartTimeout {
        /// The module.
        module: ModuleName,
        /// Its time.
        deadline: Duration,
    },
    /// A runner failed; the others were drained.
    #[error("runner {runner} failed")]
    RunnerFailed {
        /// The runner.
        runner: &'static str,
        /// Why.
        source: BoxError,
    },
    /// A runner returned although nobody asked it to; the others were drained.
    #[error("runner {runner} ended before the shutdown")]
    RunnerEnded {
        /// The runner.
        runner: &'static str,
    },
    /// A second request to end came during the drain: what was under way was cut off.
    #[error("stopped at once by a second signal")]
    StoppedAtOnce,
}

impl RunError {
    /// The exit code for a process: 130 after a second signal, otherwise 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::StoppedAtOnce => 130,
            _ => 1,
        }
    }
}
