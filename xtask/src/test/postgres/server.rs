//! A PostgreSQL server of our own, in a temporary folder on a free port.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::apt::is_root;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::test::postgres::programs::Programs;

/// The keeper: a shell script that stops the server as soon as its standard input closes.
///
/// So the server also ends when xtask is interrupted or killed, without a signal handler here.
const KEEPER: &str = include_str!("server.sh");

/// Another process can take a free port before the server does.
const ATTEMPTS: usize = 3;

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(in crate::test) struct Server {
    keeper: Child,
    url: String,
    description: String,
}

impl Server {
    /// Starts a server; the user `postgres` or `nobody` runs it when we are root, because PostgreSQL refuses root.
    pub(super) fn start(programs: &Programs) -> Outcome<Self> {
        let user = if is_root()? { unprivileged_user()? } else { "" };
        let mut last = Failure::new("no attempt was made");
        for _ in 0..ATTEMPTS {
            match Self::start_once(programs, user) {
                Ok(server) => return Ok(server),
                Err(failure) => last = failure,
            }
        }
        Err(Failure::new(format!("could not start PostgreSQL from {}: {last}", programs.folder().display())))
    }

    fn start_once(programs: &Programs, user: &str) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("dolmen-postgres-").tempdir()?;
        let port = process::free_port()?;
        let mut keeper =
            keeper(folder.path(), port, programs.folder(), user).spawn().while_doing("start sh")?;
        let output = keeper.stdout.take().ok_or_else(|| Failure::new("the keeper has no output"))?;
        let mut output = BufReader::new(output);
        let mut first = String::new();
        output.read_line(&mut first)?;
        if first.trim() != "ready" {
            output.read_to_string(&mut first)?;
            keeper.wait()?;
            return Err(Failure::new(first.trim().to_owned()));
        }
        let folder = folder.keep();
        let description = format!("{} on port {port}, started in {}", programs.version(), folder.display());
        Ok(Self { keeper, url: format!("postgres://app@127.0.0.1:{port}/postgres"), description })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn description(&self) -> String {
        self.description.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("could not wait for the end of PostgreSQL: {error}");
        }
    }
}

/// The keeper gets a process group of its own, so that Ctrl-C at the terminal does not end it before the server.
fn keeper(folder: &Path, port: u16, programs: &Path, user: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]).arg(folder).arg(port.to_string()).arg(programs).arg(user);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    command
}

fn unprivileged_user() -> Outcome<&'static str> {
    ["postgres", "nobody"]
        .into_iter()
        .find(|user| process::output_of(Command::new("id").arg("-u").arg(user)).is_ok())
        .ok_or_else(|| {
            Failure::new("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
        })
}
