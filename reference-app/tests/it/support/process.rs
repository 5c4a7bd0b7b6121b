//! The real binary, in a folder of its own. What it writes is kept and shown when a wait fails.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Client, eventually};

/// A process; it does not outlive the test.
pub(crate) struct Process {
    child: Child,
    output: PathBuf,
}

/// What a process wrote and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts the binary with these variables and no others, with its files in `folder`.
    pub(crate) fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = format!("output-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let output = folder.join(name);
        let file = |extension: &str| Stdio::from(File::create(output.with_extension(extension)).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_dolmen-reference-app"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs([("PORT", "0"), ("MANAGEMENT_PORT", "0"), ("APP_HTTP_BIND", "127.0.0.1")])
            .envs(variables.iter().copied())
            .env("APP_DATA_DIR", folder.join("var"))
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        Self { child, output }
    }

    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.output.with_extension("out")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.output.with_extension("err")).unwrap()
    }

    /// Where it listens, as its log says: `the API listens`, `the management port listens`.
    pub(crate) async fn address(&mut self, words: &str) -> SocketAddr {
        eventually(words, async || {
            self.assert_running();
            let log = self.stderr();
            let line = log.lines().find(|line| line.contains(words))?;
            let (_, address) = line.split_once("address=").or_else(|| line.split_once("\"address\":\""))?;
            let address = address.split(['"', ' ']).next()?;
            let port = address.rsplit_once(':')?.1.parse().ok()?;
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        })
        .await
    }

    /// Somebody who has not signed in, once the process is ready.
    pub(crate) async fn client(&mut self) -> Client {
        self.ready().await;
        Client::of(self.address("the API listens").await).await
    }

    /// Its operations, once it is ready.
    pub(crate) async fn ready(&mut self) -> Client {
        let operations = Client::of(self.address("the management port listens").await).await;
        eventually("readiness", async || {
            self.assert_running();
            (operations.get("/readyz").send().await.status == 200).then_some(())
        })
        .await;
        operations
    }

    fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("it ended with {status}\n{}{}", self.stdout(), self.stderr());
        }
    }

    /// Sends a signal, as an orchestrator does.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = eventually("the end of the process", async || self.child.try_wait().unwrap()).await;
        Ended { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Ended {
    /// What it wrote, if it ended well.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        self.with_code(0)
    }

    /// What it wrote, if it ended with this code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
