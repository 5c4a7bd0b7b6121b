//! What can be wrong with how modules fit together.

use std::fmt;

use dolmen_ports::ModuleName;

use crate::routes::Route;
use crate::schedule::CronError;

/// One broken rule: which module, which rule, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A name is not a module's name.
    #[error("module {module:?}: a name is 1 to 32 of a-z, 0-9 and _, and begins with a letter; rename it")]
    InvalidModuleName {
        /// The name.
        module: ModuleName,
    },
}

/// The modules do not fit together. Holds every violation, so that one run shows all that is to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    violations: Vec<Violation>,
}

impl BuildError {
    pub(super) fn new(violations: Vec<Violation>) -> Self {
        Self { violations }
    }

    /// What is wrong; never empty.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the modules do not fit together ({} to mend)", self.violations.len())?;
        for violation in &self.violations {
            write!(f, "\n- {violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}
