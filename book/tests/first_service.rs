//! The README's first service: it is shown as it is compiled, and it does what the README says.

#![cfg(test)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// The running program and what it prints.
struct Service {
    process: Child,
    lines: Receiver<String>,
}

impl Service {
    fn start() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("first_service");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_first_service"))
            .current_dir(folder)
            .env_clear()
            .envs([("PORT", "0"), ("APP_HTTP_BIND", "127.0.0.1")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        forward(process.stdout.take().unwrap(), sender.clone());
        forward(process.stderr.take().unwrap(), sender);
        Self { process, lines }
    }

    /// Waits for a line with these words and returns what follows them.
    fn says(&self, words: &str) -> String {
        loop {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it never said {words:?}"));
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn forward(output: impl Read + Send + 'static, lines: Sender<String>) {
    let output = BufReader::new(output);
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
}

fn post(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_request_enqueues_the_job_that_greets() {
    let service = Service::start();
    let address = service.says("the API listens address=");
    let answer = post(address.parse().unwrap(), "/v1/greetings/Ada");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(service.says("hello "), "Ada");
}

#[test]
fn the_readme_shows_it_verbatim() {
    let readme = include_str!("../../README.md");
    let shown = format!("```rust\n{}```\n", include_str!("../examples/first_service.rs"));
    assert!(readme.contains(&shown), "copy book/examples/first_service.rs into README.md");
}
