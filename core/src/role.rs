//! Roles: which parts of the one program a process runs.

use std::fmt;
use std::str::FromStr;

/// A part of the program that a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the roles are one of the twelve concepts; a fifth would be a new design"
)]
pub enum Role {
    /// Serves requests.
    Web,
    /// Runs jobs.
    Worker,
    /// Publishes the ticks of schedules.
    Scheduler,
    /// Brings the schema up to date and ends.
    Migrate,
}

impl Role {
    const ALL: [Self; 4] = [Self::Web, Self::Worker, Self::Scheduler, Self::Migrate];

    /// The name, as in `APP_ROLE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Scheduler => "scheduler",
            Self::Migrate => "migrate",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The roles of a process: `web,worker`, `all` (web, worker and scheduler), or `migrate` alone.
///
/// # Examples
/// ```
/// use dolmen::{Role, Roles};
/// let roles: Roles = "worker,scheduler".parse().unwrap();
/// assert!(roles.contains(Role::Worker) && !roles.contains(Role::Web));
/// assert!("wroker".parse::<Roles>().unwrap_err().to_string().contains("wroker"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    roles: Vec<Role>,
    all: bool,
}

/// Why a text names no roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseRolesError {
    /// A word is not a role.
    #[error("unknown role {0:?}; roles: all, web, worker, scheduler, migrate")]
    Unknown(String),
    /// `migrate` ends the process, so it stands alone.
    #[error("migrate runs once and ends, so it stands alone; run it before the others")]
    MigrateWithOthers,
    /// `all` is what the other words choose from, so it stands alone.
    #[error("all stands for web, worker and scheduler, so it stands alone")]
    AllWithOthers,
    /// No word at all.
    #[error("no role given; roles: all, web, worker, scheduler, migrate")]
    Empty,
}

impl Roles {
    /// Web, worker and scheduler in one process.
    pub fn all() -> Self {
        Self { roles: vec![Role::Web, Role::Worker, Role::Scheduler], all: true }
    }

    /// These roles.
    pub fn of(roles: &[Role]) -> Self {
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        roles.dedup();
        Self { roles, all: false }
    }

    /// Whether the role is among them.
    pub fn contains(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether they were given as `all`.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// The roles in order.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.roles.iter().copied()
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self::all()
    }
}

impl FromStr for Roles {
    type Err = ParseRolesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words == ["all"] {
            return Ok(Self::all());
        }
        if words.contains(&"all") {
            return Err(ParseRolesError::AllWithOthers);
        }
        let mut roles = Vec::new();
        for word in words {
            let role = Role::ALL.into_iter().find(|role| role.name() == word);
            roles.push(role.ok_or_else(|| ParseRolesError::Unknown(word.to_owned()))?);
        }
        let roles = Self::of(&roles);
        match roles.roles.as_slice() {
            [] => Err(ParseRolesError::Empty),
            [_] => Ok(roles),
            several if several.contains(&Role::Migrate) => Err(ParseRolesError::MigrateWithOthers),
            _ => Ok(roles),
        }
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all {
            return f.write_str("all");
        }
        let names: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_roles_in_one_order() {
        assert_eq!("scheduler, web,web".parse::<Roles>().unwrap().to_string(), "web,scheduler");
        assert_eq!("all".parse::<Roles>().unwrap().iter().count(), 3);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!("web,migrate".parse::<Roles>(), Err(ParseRolesError::MigrateWithOthers));
        assert_eq!("".parse::<Roles>(), Err(ParseRolesError::Empty));
        assert_eq!("web,all".parse::<Roles>(), Err(ParseRolesError::AllWithOthers));
    }
}
