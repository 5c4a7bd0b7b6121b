//! Putting a test's application together.

use dolmen::{App, AppBuilder, BuildError, Module};
use dolmen_ports::Event;

use super::watch::EventWatch;
use super::{FakePorts, TestApp};

/// Collects what a [`TestApp`] on fakes is made of.
#[derive(Debug)]
pub struct TestAppBuilder {
    fakes: FakePorts,
    app: AppBuilder,
    watch: EventWatch,
}

impl TestAppBuilder {
    pub(super) fn new() -> Self {
        let fakes = FakePorts::new();
        let app = App::builder(fakes.app().clone());
        Self { fakes, app, watch: EventWatch::new() }
    }

    /// The fakes, for what two modules share.
    pub fn fakes(&self) -> &FakePorts {
        &self.fakes
    }

    /// Adds a module that is made from the fakes.
    #[must_use]
    pub fn module<M: Module>(mut self, module: impl FnOnce(&FakePorts) -> M) -> Self {
        self.app = self.app.module(module(&self.fakes));
        self
    }

    /// Lets the test see an event also if no module subscribes to it.
    #[must_use]
    pub fn watch<E: Event>(mut self) -> Self {
        self.watch = self.watch.event::<E>();
        self
    }

    /// The application, checked by [`App::verify`].
    ///
    /// # Errors
    /// All violations of the module rules.
    pub fn start(self) -> Result<TestApp, BuildError> {
        let app = if self.watch.is_empty() { self.app } else { self.app.module(self.watch) };
        let app = app.build();
        app.verify()?;
        Ok(TestApp::around(self.fakes, &app))
    }
}
