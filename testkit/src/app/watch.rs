//! Seeing events that nobody subscribes to.

use std::collections::BTreeSet;
use std::fmt;

use dolmen::{JobContext, JobError, Module, Registrar};
use dolmen_ports::{Event, MigrationSet, ModuleName};

/// The name of the watching module, and the prefix of its jobs.
pub(super) const WATCH: ModuleName = ModuleName::new("testkit");

type Subscribe = Box<dyn Fn(&mut Registrar<'_>) + Send + Sync>;

/// A module that subscribes to events and does nothing with them, so that a test can see that they were published.
#[derive(Default)]
pub struct EventWatch {
    subscriptions: Vec<Subscribe>,
    /// Kept for as long as the process lives: modules name what they require in constants.
    owners: &'static [ModuleName],
}

impl EventWatch {
    /// Watches nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches an event. Its module has to be part of the application.
    #[must_use]
    pub fn event<E: Event>(mut self) -> Self {
        let owner = E::NAME.split('.').next().unwrap_or(E::NAME);
        let owners: BTreeSet<ModuleName> =
            self.owners.iter().copied().chain([ModuleName::new(owner)]).collect();
        self.owners = owners.into_iter().collect::<Vec<_>>().leak();
        self.subscriptions.push(Box::new(|registrar| {
            let ignore = async |_: E, _: JobContext| Ok::<(), JobError>(());
            registrar.subscribe::<E>(E::NAME, ignore);
        }));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }
}

impl Module for EventWatch {
    fn name(&self) -> ModuleName {
        WATCH
    }

    fn requires(&self) -> &'static [ModuleName] {
        self.owners
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(WATCH)
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        for subscribe in &self.subscriptions {
            subscribe(registrar);
        }
    }
}

impl fmt::Debug for EventWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWatch").field("owners", &self.owners).finish_non_exhaustive()
    }
}
