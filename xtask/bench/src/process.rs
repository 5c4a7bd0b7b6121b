//! The shop in processes of their own.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dolmen::BoxError;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::machine::Cpu;

const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// One of them; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    id: u32,
    address: Option<SocketAddr>,
    said: Arc<Mutex<Vec<String>>>,
    log: NamedTempFile,
    /// Reads what it says.
    _reading: JoinSet<()>,
}

impl Process {
    /// Starts this program as a shop with these roles and arguments, and waits until it is ready.
    pub(crate) async fn start(url: &str, roles: &str, arguments: &[&str]) -> Result<Self, BoxError> {
        let log = NamedTempFile::new()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", url, "--roles", roles]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.reopen()?).kill_on_drop(true);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("the process has no output")?;
        let id = child.id().ok_or("the process has ended")?;
        let mut lines = BufReader::new(stdout).lines();
        let Ok(Ok(address)) = timeout(STARTS_WITHIN, ready(&mut lines)).await else {
            let log = fs::read_to_string(log.path())?;
            return Err(format!("a process with the roles {roles} did not start: {log}").into());
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut reading = JoinSet::new();
        let told = Arc::clone(&said);
        reading.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                told.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { child, stdin, id, address, said, log, _reading: reading })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Where its API listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, BoxError> {
        self.address.ok_or_else(|| "the process serves no API".into())
    }

    pub(crate) fn cpu(&self) -> Option<Cpu> {
        Cpu::of(self.id)
    }

    /// What it has written into its log so far.
    pub(crate) fn log(&self) -> Result<String, BoxError> {
        Ok(fs::read_to_string(self.log.path())?)
    }

    /// What it said since this was asked last.
    pub(crate) fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn end(mut self) -> Result<(), BoxError> {
        drop(self.stdin.take());
        let status = timeout(ENDS_WITHIN, self.child.wait()).await??;
        if status.success() {
            return Ok(());
        }
        Err(format!("a process ended with {status}: {}", self.log()?).into())
    }
}

async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Option<SocketAddr>, BoxError> {
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("ready ") {
            return Ok(if address.is_empty() { None } else { Some(address.parse()?) });
        }
    }
    Err("it has ended".into())
}
