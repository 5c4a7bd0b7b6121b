//! The example does what its documentation says.

#[path = "../examples/notes.rs"]
#[expect(dead_code, reason = "the main of the example is not called here")]
mod notes;

#[tokio::test]
async fn the_example_runs_the_job_that_it_wrote_with_its_note() {
    assert_eq!(notes::run().await.unwrap(), ["notes.send_note {\"text\":\"water the plants\"}"]);
}
