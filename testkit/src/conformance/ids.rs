//! The suite of the id generator: rules `ID-1` and `ID-2`.
//!
//! # Examples
//! How a team runs it for its own generator:
//! ```no_run
//! use std::{future::ready, process::ExitCode, sync::Arc};
//! use dolmen_ports::{IdGenerator, UuidV7Ids};
//! use dolmen_testkit::conformance::{self, Harness, ids::IdsHarness};
//! struct Mine;
//! impl Harness for Mine {}
//! impl IdsHarness for Mine { fn generator(&self) -> Arc<dyn IdGenerator> { Arc::new(UuidV7Ids::new()) } }
//! fn main() -> ExitCode { conformance::run(conformance::ids::cases("mine", || ready(Ok(Mine)))) }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use dolmen_ports::{IdGenerator, Uuid};
use tokio::task::JoinSet;

use super::failure::{CaseResult, ensure, ensure_eq};
use super::harness::Harness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the id suite generators.
pub trait IdsHarness: Harness {
    /// A generator; another one in each call, as if in another process.
    fn generator(&self) -> Arc<dyn IdGenerator>;
}

cases_of!(dyn IdsHarness, suite());

pub(super) fn suite() -> Suite<dyn IdsHarness> {
    add_cases!(Suite::new("ids"),
        "ID-1": generators_at_work_at_once_never_make_the_same_id,
        "ID-2": ids_of_one_generator_ascend,
        "ID-2": a_generator_that_is_shared_ascends_for_each_caller,
    )
}

type H = Arc<dyn IdsHarness>;

const EACH: usize = 2_000;

fn make(generator: &dyn IdGenerator) -> Vec<Uuid> {
    (0..EACH).map(|_| generator.next()).collect()
}

async fn generators_at_work_at_once_never_make_the_same_id(harness: H) -> CaseResult {
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let generator = harness.generator();
        tasks.spawn_blocking(move || make(&*generator));
    }
    let all: Vec<Uuid> = tasks.join_all().await.concat();
    let different: BTreeSet<Uuid> = all.iter().copied().collect();
    ensure_eq!(different.len(), 4 * EACH, "different ids");
    Ok(())
}

async fn ids_of_one_generator_ascend(harness: H) -> CaseResult {
    ensure!(make(&*harness.generator()).is_sorted_by(|a, b| a < b), "the ids of one caller do not ascend");
    Ok(())
}

async fn a_generator_that_is_shared_ascends_for_each_caller(harness: H) -> CaseResult {
    let (generator, mut tasks) = (harness.generator(), JoinSet::new());
    for _ in 0..4 {
        let generator = Arc::clone(&generator);
        tasks.spawn_blocking(move || make(&*generator));
    }
    let made = tasks.join_all().await;
    ensure!(
        made.iter().all(|ids| ids.is_sorted_by(|a, b| a < b)),
        "the ids of one of four callers do not ascend"
    );
    let different: BTreeSet<Uuid> = made.concat().into_iter().collect();
    ensure_eq!(different.len(), 4 * EACH, "different ids");
    Ok(())
}
