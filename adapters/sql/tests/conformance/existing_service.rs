//! The example of a service that exists already, on each database.

use std::sync::Arc;

use dolmen_testkit::conformance::{CaseResult, Failure, Suite};

use crate::fixture::SqlHarness;

#[path = "../../examples/existing_service.rs"]
#[expect(dead_code, reason = "the main of the example is not called here")]
mod example;

pub(crate) fn suite(is_direct: bool) -> Suite<SqlHarness> {
    Suite::new("existing service")
        // Its pool is an ordinary one, whose statements have names.
        .needs("a connection without a pooler", is_direct)
        .case("a_job_and_an_event_join_its_transaction", |h| Box::pin(they_join(h)))
}

async fn they_join(harness: Arc<SqlHarness>) -> CaseResult {
    let done = example::run(&harness.url).await.map_err(|error| Failure::new(format!("{error:?}")))?;
    // Of the order that was rolled back nothing is left: no row, no job, no event.
    assert_eq!(done, (1, vec!["parcel for Bob".to_owned(), "receipt for Bob".to_owned()]));
    Ok(())
}
