//! The name of a module.

use std::fmt;

/// The name of a module: the prefix of its tables, jobs, events and metrics.
///
/// Lower-case letters, digits and `_`, starting with a letter, at most 32 characters; `App::verify` reports a name
/// that breaks the rule, so that making one can be `const`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName(&'static str);

impl ModuleName {
    /// Names a module.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether the name keeps the rule.
    pub fn is_valid(self) -> bool {
        self.0.len() <= 32
            && self.0.starts_with(|c: char| c.is_ascii_lowercase())
            && self.0.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
