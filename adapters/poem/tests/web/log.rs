//! What the log says of requests, and what it does not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::support::TestServer;

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self, words: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

// The runtime of a test has one thread, so the subscriber of that thread sees the whole application.
fn logged() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn each_request_is_one_line_without_path_query_or_token() {
    let (log, _guard) = logged();
    let server = TestServer::start().await;
    let answer = server.ask("GET", "/v1/notes/12?password=hunter2").send().await;
    let lines = log.lines("route=");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for word in
        ["method=\"GET\"", "route=\"/v1/notes/{id}\"", "status=400", "ms=", answer.header("x-request-id")]
    {
        assert!(lines[0].contains(word), "{word}: {lines:?}");
    }
    assert_eq!(
        log.lines("hunter2").len() + log.lines("/v1/notes/12").len() + log.lines("token-of-ada").len(),
        0
    );
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_cause_and_the_id_of_the_answer() {
    let (log, _guard) = logged();
    let server = TestServer::start().await;
    let answer = server.ask("POST", "/v1/failure").send().await;
    let lines = log.lines("select secret from users");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR") && lines[0].contains(answer.header("x-request-id")), "{lines:?}");
    server.ask("GET", "/v1/notes/00000000-0000-0000-0000-00000000000d").send().await;
    assert_eq!(log.lines("panicked: ").len(), 1);
}
