//! Several processes on one directory. The test program starts itself again as the other processes.

#![cfg(test)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;

use dolmen_directory::{DirectoryObjectStore, LinkSigner};
use dolmen_ports::{Bytes, ObjectKey, ObjectStore, PutMode, PutOptions, Secret, SystemClock};
use libtest_mimic::{Arguments, Failed, Trial};

/// The argument that makes this program one of the other processes.
const WRITER: &str = "--writer-in";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(WRITER) {
        let root = arguments.next().unwrap();
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(create_what_is_asked_for(&root));
        return ExitCode::SUCCESS;
    }
    let trial = Trial::test("of_processes_that_create_one_key_exactly_one_wins", exactly_one_wins);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn exactly_one_wins() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let mut writers = [Writer::start(root.path()), Writer::start(root.path()), Writer::start(root.path())];
    for round in 0..40 {
        for writer in &mut writers {
            writeln!(writer.child.stdin.as_mut().unwrap(), "round/{round}")?;
        }
        let answers: Vec<String> = writers.iter_mut().map(Writer::answer).collect();
        let winners = answers.iter().filter(|answer| *answer == "won").count();
        let losers = answers.iter().filter(|answer| *answer == "already_exists").count();
        assert_eq!((winners, losers), (1, 2), "round {round}: {answers:?}");
    }
    Ok(())
}

async fn create_what_is_asked_for(root: &str) {
    let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", Arc::new(SystemClock)).unwrap();
    let store = DirectoryObjectStore::open(root, links).await.unwrap();
    for line in std::io::stdin().lines() {
        let key = ObjectKey::parse(&line.unwrap()).unwrap();
        let create = PutOptions::new("text/plain").with_mode(PutMode::Create);
        match store.put(&key, Bytes::from_static(b"x"), create).await {
            Ok(_) => println!("won"),
            Err(error) => println!("{}", error.kind().name()),
        }
    }
}

struct Writer {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Writer {
    fn start(root: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(WRITER)
            .arg(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the process ended");
        line.trim_end().to_owned()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
