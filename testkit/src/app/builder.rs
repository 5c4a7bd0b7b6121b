//! Putting a test's application together.

use dolmen::{App, AppBuilder, BuildError, Module};
use dolmen_ports::Event;

use super::inline::Inline;
use super::watch::EventWatch;
use super::{FakePorts, TestApp};

/// Collects what a [`TestApp`] on fakes is made of.
#[derive(Debug)]
pub struct TestAppBuilder {
    fakes: FakePorts,
    app: AppBuilder,
    watch: EventWatch,
    inline: bool,
}

impl TestAppBuilder {
    pub(super) fn new() -> Self {
        let fakes = FakePorts::new();
        let app = App::builder(fakes.app().clone());
        Self { fakes, app, watch: EventWatch::new(), inline: false }
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

    /// Lets jobs run inline: as soon as a transaction that enqueued some is committed, whatever is due is worked off, before
    /// the commit returns to its caller. So the test of a use case sees what its jobs and subscribers did without a drain.
    ///
    /// It is for short tests, and has limits:
    /// - A job that fails is not the caller's failure: it waits for its retry, and [`TestApp::advance`] runs it then.
    /// - Delayed jobs run when the clock gets there, with [`TestApp::advance`].
    /// - Of tasks that commit at the same time one works for all, so another one may go on before its job has run.
    /// - It hides that the work is done later. Assert with a [`TestApp::drain`] where that matters.
    /// - It is for applications on fakes; around others, drain.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = true;
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
        let mut test = TestApp::around(self.fakes, &app);
        if self.inline {
            let inline = Inline::new(app.due_jobs());
            test.fakes.memory().after_commits(&inline);
            test.inline = Some(inline);
        }
        Ok(test)
    }
}
