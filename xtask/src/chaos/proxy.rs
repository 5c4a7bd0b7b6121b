//! The network between a program under test and its server: the testkit's proxy, as a process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, Outcome, While as _};

/// A proxy; dropping it ends it.
#[derive(Debug)]
pub(super) struct Proxy {
    process: Child,
    answers: Mutex<BufReader<ChildStdout>>,
    port: u16,
}

impl Proxy {
    /// Starts one before the server at `<host>:<port>`.
    pub(super) fn start(program: &Path, upstream: &str) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.arg(upstream).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().while_doing(format!("start {}", program.display()))?;
        let output = process.stdout.take().ok_or_else(|| Failure::new("the proxy has no output"))?;
        let mut answers = BufReader::new(output);
        let port = answer(&mut answers)?.parse().while_doing("read the port of the proxy")?;
        Ok(Self { process, answers: Mutex::new(answers), port })
    }

    /// Where programs connect to.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Gives an order that has no other answer than that it was carried out.
    pub(super) fn tell(&self, order: &str) -> Outcome<()> {
        match self.obey(order)?.as_str() {
            "done" => Ok(()),
            other => Err(Failure::new(format!("the proxy was told to {order}: {other}"))),
        }
    }

    /// Asks for a number.
    pub(super) fn ask(&self, question: &str) -> Outcome<usize> {
        let answer = self.obey(question)?;
        answer.parse().while_doing(format!("read what the proxy says of {question}: {answer:?}"))
    }

    fn obey(&self, order: &str) -> Outcome<String> {
        // One order at a time, so that its answer is the next line.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut orders = self.process.stdin.as_ref().ok_or_else(|| Failure::new("the proxy has no input"))?;
        writeln!(orders, "{order}").while_doing("give the proxy an order")?;
        answer(&mut answers)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what we want.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn answer(answers: &mut BufReader<ChildStdout>) -> Outcome<String> {
    let mut line = String::new();
    answers.read_line(&mut line).while_doing("listen to the proxy")?;
    Ok(line.trim().to_owned())
}
