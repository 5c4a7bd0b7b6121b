//! Tests with names, and how they run: each on a runtime of its own, and on each database where an application is needed.

use std::sync::Arc;

use libtest_mimic::Trial;
use tokio::runtime::Builder;

use super::{Backend, TestApp};

/// A test under its name.
pub(crate) struct Case {
    name: String,
    run: Run,
}

enum Run {
    OnEach(Arc<dyn Fn(Backend) + Send + Sync>),
    Alone(Box<dyn FnOnce() + Send>),
}

/// A list of cases: `cases![on_app: a, b]` for tests that get an application, `cases![on_each: c]` for tests that get a
/// database, `cases![alone: d]` for those that make what they need.
macro_rules! cases {
    ($kind:ident: $($test:ident),+ $(,)?) => {
        vec![$($crate::support::$kind(module_path!(), stringify!($test), $test)),+]
    };
}
pub(crate) use cases;

/// A test that gets an application of its own, wired as `main` does, on each database.
pub(crate) fn on_app(module: &str, name: &str, test: impl AsyncFn(&TestApp) + Send + Sync + 'static) -> Case {
    on_each(module, name, async move |backend: Backend| {
        let app = TestApp::start(backend).await;
        test(&app).await;
        app.finish().await;
    })
}

/// A test that starts what it needs, on each database.
pub(crate) fn on_each(module: &str, name: &str, test: impl AsyncFn(Backend) + Send + Sync + 'static) -> Case {
    let run = move |backend| block_on(test(backend));
    Case { name: named(module, name), run: Run::OnEach(Arc::new(run)) }
}

/// A test that makes what it needs, once.
pub(crate) fn alone(module: &str, name: &str, test: impl AsyncFn() + Send + 'static) -> Case {
    Case { name: named(module, name), run: Run::Alone(Box::new(move || block_on(test()))) }
}

impl Case {
    /// What the test harness runs.
    pub(crate) fn trials(self) -> Vec<Trial> {
        let Self { name, run } = self;
        match run {
            Run::Alone(run) => vec![Trial::test(name, move || {
                run();
                Ok(())
            })],
            Run::OnEach(run) => {
                Backend::ALL.iter().map(|backend| on_backend(*backend, &name, Arc::clone(&run))).collect()
            }
        }
    }
}

fn on_backend(backend: Backend, name: &str, run: Arc<dyn Fn(Backend) + Send + Sync>) -> Trial {
    let trial = Trial::test(format!("{}::{name}", backend.name()), move || {
        run(backend);
        Ok(())
    });
    match backend.missing() {
        Some(missing) => trial.with_ignored_flag(true).with_kind(format!("without {missing}")),
        None => trial,
    }
}

fn block_on(test: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

fn named(module: &str, name: &str) -> String {
    format!("{}::{name}", module.trim_start_matches("it::"))
}
