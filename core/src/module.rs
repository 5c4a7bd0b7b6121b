//! What a module is.

use std::fmt;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Migration, MigrationSet, ModuleName};

use crate::registrar::Registrar;

/// A bounded context of the application: a crate with one public `api`, its own tables, jobs, events, schedules and
/// routes. `register` reads as its table of contents.
///
/// # Examples
/// ```
/// use dolmen::{MigrationSet, Module, ModuleName, Registrar};
///
/// #[derive(Debug)]
/// struct Greetings;
///
/// impl Module for Greetings {
///     fn name(&self) -> ModuleName {
///         ModuleName::new("greetings")
///     }
///     fn migrations(&self) -> MigrationSet {
///         MigrationSet::none(self.name())
///     }
///     fn register(&self, _registrar: &mut Registrar<'_>) {}
/// }
/// ```
#[async_trait]
pub trait Module: Send + Sync + 'static {
    /// Its name: the prefix of its tables, jobs, events and metrics.
    fn name(&self) -> ModuleName;

    /// The modules whose `api` it uses. They start before it and stop after it.
    fn requires(&self) -> &'static [ModuleName] {
        &[]
    }

    /// Its schema.
    fn migrations(&self) -> MigrationSet;

    /// Says what it has: jobs, events, subscriptions, schedules, routes, checks.
    fn register(&self, registrar: &mut Registrar<'_>);

    /// Runs once before any role serves, after the modules it requires; for filling caches and the like.
    async fn start(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Runs once after every role stopped, before the modules it requires.
    async fn stop(&self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A module made of a closure, for programs that fit on a page and for tests.
///
/// # Examples
/// ```
/// use dolmen::{InlineModule, Job, JobContext, JobError};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct Greet(String);
/// # impl Job for Greet { const KIND: &'static str = "greetings.greet"; }
/// async fn greet(Greet(name): Greet, _: JobContext) -> Result<(), JobError> {
///     println!("hello {name}");
///     Ok(())
/// }
/// let module = InlineModule::new("greetings", |registrar| registrar.job(greet));
/// ```
pub struct InlineModule<F> {
    migrations: MigrationSet,
    register: F,
}

impl<F: Fn(&mut Registrar<'_>) + Send + Sync + 'static> InlineModule<F> {
    /// A module of this name that registers by calling `register`.
    pub fn new(name: &'static str, register: F) -> Self {
        Self { migrations: MigrationSet::none(ModuleName::new(name)), register }
    }

    /// The same with tables.
    #[must_use]
    pub fn with_migrations(mut self, migrations: &'static [Migration]) -> Self {
        self.migrations = MigrationSet::new(self.migrations.module, migrations);
        self
    }
}

impl<F: Fn(&mut Registrar<'_>) + Send + Sync + 'static> Module for InlineModule<F> {
    fn name(&self) -> ModuleName {
        self.migrations.module
    }

    fn migrations(&self) -> MigrationSet {
        self.migrations
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        (self.register)(registrar);
    }
}

impl<F> fmt::Debug for InlineModule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineModule").field("name", &self.migrations.module).finish_non_exhaustive()
    }
}
