//! What the log says of requests, and what it does not.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use crate::support::TestServer;

thread_local! {
    /// What was logged on this thread. The runtime of a test has one thread, so it is what its application logged.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ToThread;

impl Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the log of all tests, each on its thread. One subscriber for the whole process: with one per test, what is logged
/// would depend on which test comes to a line first.
pub(crate) fn keep_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(|| ToThread)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

fn lines(words: &str) -> Vec<String> {
    let text = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
    text.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_request_is_one_line_without_path_query_or_token() {
    let server = TestServer::start().await;
    let answer = server.ask("GET", "/v1/notes/12?password=hunter2").send().await;
    let found = lines("route=");
    assert_eq!(found.len(), 1, "{found:?}");
    for word in
        ["method=\"GET\"", "route=\"/v1/notes/{id}\"", "status=400", "ms=", answer.header("x-request-id")]
    {
        assert!(found[0].contains(word), "{word}: {found:?}");
    }
    assert_eq!(lines("hunter2").len() + lines("/v1/notes/12").len() + lines("token-of-ada").len(), 0);
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_cause_and_the_id_of_the_answer() {
    let server = TestServer::start().await;
    let answer = server.ask("POST", "/v1/failure").send().await;
    let found = lines("select secret from users");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("ERROR") && found[0].contains(answer.header("x-request-id")), "{found:?}");
    server.ask("GET", "/v1/notes/00000000-0000-0000-0000-00000000000d").send().await;
    assert_eq!(lines("panicked: ").len(), 1);
}
