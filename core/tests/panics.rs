//! With JSON logs a panic is one object on one line. Alone in its process, because hook and logging are the process's.

use std::process::Command;

use dolmen::{Environment, LogSettings, init_logging};

#[test]
#[should_panic(expected = "on purpose")]
fn a_thread_that_panics() {
    init_logging(&LogSettings::new(Environment::Production));
    panic!("on purpose\nFAKE");
}

#[test]
fn a_panic_is_one_object_on_one_line() {
    let this = std::env::current_exe().unwrap();
    let output =
        Command::new(this).args(["--exact", "a_thread_that_panics", "--nocapture"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 1, "{text}");
    assert_eq!(events[0]["message"], "panic");
    assert_eq!(events[0]["reason"], "on purpose\nFAKE");
    assert!(events[0]["place"].as_str().unwrap().contains("panics.rs"), "{text}");
}
