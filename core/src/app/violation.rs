//! What can be wrong with how modules fit together.

use std::fmt;
use std::panic::Location;

use dolmen_ports::ModuleName;

use crate::routes::Route;
use crate::schedule::CronError;

/// One broken rule: which module, which rule, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A name is not a module's name.
    #[error("module {module}: a name is 1 to 32 of a-z, 0-9 and _ and begins with a letter; rename it")]
    InvalidModuleName {
        /// The name.
        module: ModuleName,
    },
    /// Two modules have one name.
    #[error("module {module}: it is there twice; add it once, or rename one of the two")]
    DuplicateModule {
        /// The name.
        module: ModuleName,
    },
    /// A module requires one that is not there.
    #[error("module {module}: it requires {requires}, which is not part of the application; add that module")]
    UnknownRequirement {
        /// The module.
        module: ModuleName,
        /// What it requires.
        requires: ModuleName,
    },
    /// Modules require each other in a circle.
    #[error(
        "module {}: modules require each other in a circle, {}; turn one of the calls into an event",
        first(cycle),
        circle(cycle)
    )]
    CyclicRequirement {
        /// The modules of the circle, each requiring the next, the last one the first.
        cycle: Vec<ModuleName>,
    },
    /// A module reacts to an event that nobody publishes.
    #[error(
        "module {module}: it subscribes to {event}, which no module owns; its owner registers it with registrar.event"
    )]
    EventWithoutOwner {
        /// The module that subscribes.
        module: ModuleName,
        /// The event.
        event: &'static str,
    },
    /// Two modules own one event.
    #[error(
        "module {module}: it registers the event {event}, which {owner} owns already; subscribe to it, or publish one of its own"
    )]
    EventOwnedTwice {
        /// The second module.
        module: ModuleName,
        /// The event.
        event: &'static str,
        /// The first module.
        owner: ModuleName,
    },
    /// A module reacts to an event of one that it does not require.
    #[error(
        "module {module}: it subscribes to {event} of {owner}, which it does not require; add {owner} to requires()"
    )]
    UndeclaredDependency {
        /// The module that subscribes.
        module: ModuleName,
        /// The event.
        event: &'static str,
        /// Whose event it is.
        owner: ModuleName,
    },
    /// The name of an event or of a kind of job does not begin with the module's.
    #[error(
        "module {module}: the {what} {name} must begin with \"{module}.\"; rename it, or register it where it belongs"
    )]
    ForeignName {
        /// The module.
        module: ModuleName,
        /// `event` or `job kind`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// No queue would take a job of this kind.
    #[error("module {module}: jobs of kind {kind} cannot be enqueued: {reason}")]
    UnusableJob {
        /// The module.
        module: ModuleName,
        /// The kind.
        kind: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// Two handlers are registered for one kind.
    #[error("module {module}: the job kind {kind} has a handler already, in {other}; rename one of the two")]
    DuplicateJobKind {
        /// The second module.
        module: ModuleName,
        /// The kind.
        kind: String,
        /// The first module.
        other: ModuleName,
    },
    /// Two schedules have one name.
    #[error(
        "module {module}: the schedule {schedule} at {at} is there already, at {first_at}; rename one of the two"
    )]
    DuplicateSchedule {
        /// The module.
        module: ModuleName,
        /// The schedule.
        schedule: String,
        /// Where the second one is registered.
        at: &'static Location<'static>,
        /// Where the first one is registered.
        first_at: &'static Location<'static>,
    },
    /// A schedule makes jobs that the module does not handle.
    #[error(
        "module {module}: the schedule {schedule} at {at} makes jobs of kind {kind}, {}",
        handled(*handled_at)
    )]
    UnknownScheduledJob {
        /// The module.
        module: ModuleName,
        /// The schedule.
        schedule: String,
        /// Where it is registered.
        at: &'static Location<'static>,
        /// The kind.
        kind: &'static str,
        /// Where another module registers the kind, if one does.
        handled_at: Option<&'static Location<'static>>,
    },
    /// A schedule never has a tick.
    #[error("module {module}: the schedule {schedule} at {at} cannot be used: {reason}")]
    UnusableCron {
        /// The module.
        module: ModuleName,
        /// The schedule.
        schedule: String,
        /// Where it is registered.
        at: &'static Location<'static>,
        /// Why.
        reason: CronError,
    },
    /// Two operations answer the same requests.
    #[error(
        "module {module}: {route} answers the same requests as {other_route} of {other}; change one of the paths"
    )]
    DuplicateRoute {
        /// The second module.
        module: ModuleName,
        /// Its route.
        route: Route,
        /// The first module.
        other: ModuleName,
        /// Its route.
        other_route: Route,
    },
    /// One schema name means two things.
    #[error(
        "module {module}: the schema {schema} differs from the one of {other}; rename one of the two types"
    )]
    DuplicateSchema {
        /// The second module.
        module: ModuleName,
        /// The name.
        schema: String,
        /// The first module.
        other: ModuleName,
    },
    /// The migrations of a module carry another module's name.
    #[error(
        "module {module}: its migrations carry the name {set}; make the MigrationSet with the module's own name"
    )]
    ForeignMigrations {
        /// The module.
        module: ModuleName,
        /// The name of the set.
        set: ModuleName,
    },
    /// A module has the name under which an adapter keeps its tables.
    #[error("module {module}: the tables of an adapter begin with this name; rename the module")]
    ReservedModuleName {
        /// The name.
        module: ModuleName,
    },
    /// A migration is not numbered in order.
    #[error(
        "module {module}: the migration {migration} must be named {expected}_<what it does>; number them from 0001 without a gap"
    )]
    MigrationNumber {
        /// The module.
        module: ModuleName,
        /// Its name.
        migration: &'static str,
        /// Its number.
        expected: String,
    },
    /// A file of a migration has a marker that nobody knows, or that stands in the wrong place.
    #[error("module {module}: migrations/{dialect}/{migration}.sql, {reason}")]
    MigrationMarker {
        /// The module.
        module: ModuleName,
        /// The migration.
        migration: &'static str,
        /// The dialect of the file.
        dialect: &'static str,
        /// Which line, what is known, and what was meant.
        reason: String,
    },
    /// Jobs would not be enqueued in the transactions of the database.
    #[error("application: the database is {database} and the queue is {queue}; wire both from one adapter")]
    BackendMismatch {
        /// The backend of the database.
        database: &'static str,
        /// The backend of the queue.
        queue: &'static str,
    },
}

fn handled(elsewhere: Option<&Location<'_>>) -> String {
    match elsewhere {
        Some(at) => format!("which another module handles, at {at}; give the schedule to that module"),
        None => "which the module does not handle; register it with registrar.job".to_owned(),
    }
}

fn first(cycle: &[ModuleName]) -> &str {
    cycle.first().map_or("", |module| module.as_str())
}

fn circle(cycle: &[ModuleName]) -> String {
    let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|module| module.as_str()).collect();
    names.join(" → ")
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
        write!(f, "the modules do not fit together; to mend: {}", self.violations.len())?;
        for violation in &self.violations {
            write!(f, "\n- {violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}
