//! A list of cases over one kind of harness.

use std::fmt;
use std::sync::Arc;

use dolmen_ports::BoxError;
use futures_util::future::BoxFuture;

use super::case::Case;
use super::failure::{CaseResult, Failure};
use super::harness::Harness;
use super::record::Entry;

/// The body of a case: takes the harness, returns when the promise was seen to hold.
type Body<H> = fn(Arc<H>) -> BoxFuture<'static, CaseResult>;

/// A suite: the cases of one port over its harness, which is a trait object or a type.
///
/// # Examples
/// The contract of a module's own repository, run against its fake and its SQL:
/// ```
/// use std::sync::Arc;
/// use dolmen_testkit::conformance::{Case, CaseResult, Harness, MemoryHarness, Suite, TransactionHarness};
/// use futures_util::FutureExt as _;
///
/// async fn an_empty_database_answers(harness: Arc<MemoryHarness>) -> CaseResult {
///     harness.database().ping().await?;
///     Ok(())
/// }
/// let cases: Vec<Case> = Suite::new("example")
///     .case("CU-1 an_empty_database_answers", |harness| an_empty_database_answers(harness).boxed())
///     .cases("memory", || async { MemoryHarness::fresh().await.map(Arc::new) });
/// assert_eq!(cases[0].name(), "memory example CU-1 an_empty_database_answers");
/// ```
pub struct Suite<H: ?Sized> {
    port: &'static str,
    need: Option<Need>,
    definitions: Vec<Definition<H>>,
}

struct Definition<H: ?Sized> {
    name: &'static str,
    need: Option<Need>,
    body: Body<H>,
}

/// A capability, and whether the adapter has it.
#[derive(Debug, Clone, Copy)]
struct Need {
    capability: &'static str,
    is_there: bool,
}

impl<H: Harness + ?Sized> Suite<H> {
    /// An empty suite of a port.
    pub fn new(port: &'static str) -> Self {
        Self { port, need: None, definitions: Vec::new() }
    }

    /// The cases that follow need this capability; they are ignored when it `is_there` not.
    #[must_use]
    pub fn needs(mut self, capability: &'static str, is_there: bool) -> Self {
        self.need = Some(Need { capability, is_there });
        self
    }

    /// The cases that follow need nothing.
    #[must_use]
    pub fn needs_nothing(mut self) -> Self {
        self.need = None;
        self
    }

    /// Adds a case, named by its rule and a sentence in `snake_case`.
    #[must_use]
    pub fn case(mut self, name: &'static str, body: Body<H>) -> Self {
        self.definitions.push(Definition { name, need: self.need, body });
        self
    }

    /// The cases, each with a harness of its own from `fresh`, under the label of the adapter.
    pub fn cases<F, Fut>(self, label: &str, fresh: F) -> Vec<Case>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Arc<H>, BoxError>> + Send + 'static,
    {
        let (port, fresh) = (self.port, Arc::new(fresh));
        let case = |definition: Definition<H>| {
            let (fresh, body) = (Arc::clone(&fresh), definition.body);
            let start = move || -> BoxFuture<'static, CaseResult> {
                Box::pin(async move {
                    let harness = fresh().await.map_err(|error| {
                        Failure::new(format!("no harness: {}", dolmen_ports::error_chain(&*error)))
                    })?;
                    let result = body(Arc::clone(&harness)).await;
                    harness.tear_down().await;
                    result
                })
            };
            let Definition { name, need, .. } = definition;
            let needs = need.map(|need| need.capability);
            let missing = need.filter(|need| !need.is_there).map(|need| need.capability);
            let entry = Entry { adapter: label.to_owned(), suite: port, case: name, needs };
            Case::new(entry, missing, Box::new(start))
        };
        self.definitions.into_iter().map(case).collect()
    }
}

impl<H: ?Sized> fmt::Debug for Suite<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("port", &self.port)
            .field("cases", &self.definitions.len())
            .finish_non_exhaustive()
    }
}

/// Adds async functions to a suite: their names are the names of the cases, after the rule that they hold.
macro_rules! add_cases {
    ($suite:expr, $($rule:literal: $case:ident),+ $(,)?) => {
        $suite$(.case(concat!($rule, " ", stringify!($case)), |harness| Box::pin($case(harness))))+
    };
}

/// The function `cases` of a suite's module: turns the harness of an adapter into the trait object of the suite.
macro_rules! cases_of {
    (dyn $harness:ident, $suite:expr) => {
        /// The cases of the suite, each with a harness of its own from `fresh`, under the label of the adapter.
        pub fn cases<H, F, Fut>(label: &str, fresh: F) -> Vec<$crate::conformance::Case>
        where
            H: $harness,
            F: Fn() -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<H, dolmen_ports::BoxError>> + Send + 'static,
        {
            $suite.cases(label, move || {
                let harness = fresh();
                async { harness.await.map(|harness| Arc::new(harness) as Arc<dyn $harness>) }
            })
        }
    };
}

pub(crate) use {add_cases, cases_of};
