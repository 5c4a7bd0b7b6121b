//! What was read, for a person to look at.

use std::path::PathBuf;

/// A variable that was read: what it means, what it is, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// Its name in the environment.
    pub name: String,
    /// What it means.
    pub meaning: &'static str,
    /// An example of its value.
    pub example: &'static str,
    /// What it is: as given, `***` when it is secret, `None` when there is none.
    pub value_shown: Option<String>,
    /// What it is when nobody sets it.
    pub default: Option<String>,
    /// What cannot run without it, when something cannot.
    pub needed_by: Option<String>,
    /// Whether it is a secret, which may also come from the file that `<NAME>_FILE` names.
    pub secret: bool,
    /// Where the value came from.
    pub source: Source,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three places that configuration comes from")]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The variable.
    Environment,
    /// The file that the variable with `_FILE` names.
    File(PathBuf),
}
