//! The suites themselves: what passes, fails, hangs and is ignored.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_testkit::conformance::{Case, CaseResult, Failure, Harness, Outcome, Suite};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// Counts its ends.
struct Counted(Arc<AtomicU32>);

#[async_trait]
impl Harness for Counted {
    async fn tear_down(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

type Body = BoxFuture<'static, CaseResult>;

fn passes(_: Arc<Counted>) -> Body {
    ready(Ok(())).boxed()
}

fn fails(_: Arc<Counted>) -> Body {
    let parse = async {
        "seven".parse::<u32>()?;
        Ok(())
    };
    parse.boxed()
}

fn hangs(_: Arc<Counted>) -> Body {
    pending().boxed()
}

fn panics(_: Arc<Counted>) -> Body {
    // Not `panic!`: the hook would print a trace into the output of a test that passes.
    async { std::panic::resume_unwind(Box::new("a stone fell")) }.boxed()
}

fn suite() -> Suite<Counted> {
    Suite::new("stones")
        .case("ST-1 passes", passes)
        .case("ST-2 fails", fails)
        .case("ST-3 hangs", hangs)
        .case("ST-4 panics", panics)
        .needs("wings", false)
        .case("ST-5 flies", fails)
        .needs_nothing()
        .case("ST-6 stands", passes)
}

fn outcome(name: &str, ends: &Arc<AtomicU32>) -> Outcome {
    let ends = Arc::clone(ends);
    let cases = suite().cases("fake", move || ready(Ok(Arc::new(Counted(Arc::clone(&ends))))));
    let case = cases.into_iter().find(|case| case.name().contains(name));
    case.map(|case| case.with_deadline(Duration::from_millis(200)).outcome())
        .unwrap_or(Outcome::Failed(format!("there is no case {name}")))
}

fn failure(name: &str) -> String {
    match outcome(name, &Arc::default()) {
        Outcome::Failed(reason) => reason,
        other => format!("{other:?}"),
    }
}

#[test]
fn names_are_made_of_label_port_rule_and_sentence() {
    let make = || ready(Ok(Arc::new(Counted(Arc::default()))));
    let names: Vec<String> = suite().cases("fake", make).iter().map(|case| case.name().to_owned()).collect();
    assert_eq!(names[0], "fake stones ST-1 passes");
    assert_eq!(names.len(), 6);
}

#[test]
fn a_case_passes_and_its_harness_is_torn_down() {
    let ends = Arc::default();
    assert!(matches!(outcome("ST-1", &ends), Outcome::Passed));
    assert!(matches!(outcome("ST-6", &ends), Outcome::Passed));
    assert_eq!(ends.load(Ordering::SeqCst), 2);
}

#[test]
fn a_failure_names_its_line_and_its_harness_is_torn_down() {
    let ends = Arc::default();
    let Outcome::Failed(reason) = outcome("ST-2", &ends) else { panic!("it should fail") };
    assert!(reason.contains("suite.rs:") && reason.contains("invalid digit"), "{reason}");
    assert_eq!(ends.load(Ordering::SeqCst), 1);
}

#[test]
fn a_case_that_hangs_fails_at_its_deadline() {
    assert!(failure("ST-3").contains("not done after 200ms"));
}

#[test]
fn a_panic_is_a_failure() {
    assert!(failure("ST-4").contains("a stone fell"));
}

#[test]
fn a_missing_capability_is_ignored_by_name_and_nothing_runs() {
    let ends = Arc::default();
    assert!(matches!(outcome("ST-5", &ends), Outcome::Ignored("wings")));
    assert_eq!(ends.load(Ordering::SeqCst), 0);
}

#[test]
fn a_harness_that_cannot_be_made_is_a_failure() {
    let cases = suite().cases("fake", || ready(Err("the server is away".into())));
    let outcomes: Vec<Outcome> = cases.into_iter().take(1).map(Case::outcome).collect();
    assert!(matches!(&outcomes[..], [Outcome::Failed(reason)] if reason.contains("the server is away")));
}

#[test]
fn a_failure_can_be_made_by_hand() {
    assert!(Failure::new("too heavy").to_string().ends_with(": too heavy"));
}
