//! An example does what its documentation says, and the book shows it as it is compiled.

#[path = "../examples/notes.rs"]
#[expect(dead_code, reason = "the main of the example is not called here")]
mod notes;

#[tokio::test]
async fn the_example_runs_the_job_that_it_wrote_with_its_note() {
    assert_eq!(notes::run().await.unwrap(), ["notes.send_note {\"text\":\"water the plants\"}"]);
}

#[test]
fn the_book_shows_the_example_of_an_existing_service_verbatim() {
    let (example, page) = (
        include_str!("../examples/existing_service.rs"),
        include_str!("../../../book/src/existing-service.md"),
    );
    let blocks: Vec<&str> =
        page.split("```").skip(1).step_by(2).filter_map(|b| b.strip_prefix("rs\n")).collect();
    assert!(blocks.len() > 2);
    for block in blocks {
        assert!(
            example.contains(block),
            "copy this from adapters/sql/examples/existing_service.rs:\n{block}"
        );
    }
}
