//! What a module is.

use async_trait::async_trait;
use dolmen_ports::{BoxError, MigrationSet, ModuleName};

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
