//! A server of our own, in a temporary folder on a free port, which ends with xtask.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::apt::is_root;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

/// The keeper: a shell script that stops its server as soon as its standard input closes.
///
/// So the server also ends when xtask is interrupted or killed, without a signal handler here.
const KEEPER: &str = include_str!("keeper.sh");

/// Another process can take a free port before the server does.
const ATTEMPTS: usize = 3;

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: Child,
    output: BufReader<ChildStdout>,
    /// The server's first process, when its script says which one that is.
    process: Option<u32>,
    port: u16,
    folder: PathBuf,
}

impl Kept {
    /// Starts a server with its script, which defines `start` and `stop`; `configure` adds the script's arguments.
    ///
    /// An unprivileged user runs it when we are root: PostgreSQL and PgBouncer refuse root.
    pub(super) fn start(
        name: &'static str,
        script: &str,
        configure: impl Fn(&mut Command, u16),
    ) -> Outcome<Self> {
        Self::start_below(&std::env::temp_dir(), name, script, configure)
    }

    /// The same with its folder in another than that for temporary files.
    pub(super) fn start_below(
        place: &Path,
        name: &'static str,
        script: &str,
        configure: impl Fn(&mut Command, u16),
    ) -> Outcome<Self> {
        let user = if is_root()? { unprivileged_user()? } else { "" };
        let mut last = Failure::new("no attempt was made");
        for _ in 0..ATTEMPTS {
            match Self::start_once(place, name, script, user, &configure) {
                Ok(server) => return Ok(server),
                Err(failure) => last = failure,
            }
        }
        Err(Failure::new(format!("could not start {name}: {last}")))
    }

    fn start_once(
        place: &Path,
        name: &str,
        script: &str,
        user: &str,
        configure: impl Fn(&mut Command, u16),
    ) -> Outcome<Self> {
        let prefix = format!("dolmen-{}-", name.to_lowercase());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(place)?;
        let port = process::free_port()?;
        let mut command = keeper(script, folder.path(), user);
        configure(&mut command, port);
        let mut keeper = command.spawn().while_doing("start sh")?;
        let output = keeper.stdout.take().ok_or_else(|| Failure::new("the keeper has no output"))?;
        let mut output = BufReader::new(output);
        let process = match ready(&mut output)? {
            Ok(process) => process,
            Err(said) => {
                keeper.wait()?;
                return Err(Failure::new(said));
            }
        };
        // From now on the keeper removes it, after the server.
        Ok(Self { keeper, output, process, port, folder: folder.keep() })
    }

    /// Starts the server anew after its end, on the same data and port.
    pub(super) fn start_again(&mut self) -> Outcome<()> {
        let input = self.keeper.stdin.as_mut().ok_or_else(|| Failure::new("the keeper has no input"))?;
        input.write_all(b"again\n")?;
        self.process = ready(&mut self.output)?.map_err(Failure::new)?;
        Ok(())
    }

    /// The first process of the server that runs now.
    pub(super) fn process(&self) -> Option<u32> {
        self.process
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Where it is, to be said after which program it is.
    pub(super) fn place(&self) -> String {
        format!("on port {}, started in {}", self.port, self.folder.display())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("could not wait for the end of the server in {}: {error}", self.folder.display());
        }
    }
}

/// Waits for `ready <process>`; anything else is what the keeper says of its failure.
fn ready(output: &mut BufReader<ChildStdout>) -> Outcome<Result<Option<u32>, String>> {
    let mut said = String::new();
    output.read_line(&mut said)?;
    if let Some(process) = said.strip_prefix("ready") {
        return Ok(Ok(process.trim().parse().ok()));
    }
    output.read_to_string(&mut said)?;
    Ok(Err(said.trim().to_owned()))
}

/// The keeper gets a process group of its own, so that Ctrl-C at the terminal does not end it before the server.
fn keeper(script: &str, folder: &Path, user: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg([KEEPER, script].concat()).arg("keeper").arg(folder).arg(user);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    command
}

fn unprivileged_user() -> Outcome<&'static str> {
    ["postgres", "nobody"]
        .into_iter()
        .find(|user| process::output_of(Command::new("id").arg("-u").arg(user)).is_ok())
        .ok_or_else(|| Failure::new("servers refuse to run as root, and there is no user postgres or nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's script that needs no server: it leaves a mark where it is told to when it stops.
    const MARKING: &str =
        "mark=$1 argument=${2:-}\nstart() { :; }\nstop() { echo stopped >\"$mark\"; }\nkeep\n";

    fn marking(mark: &Path) -> Kept {
        let with_mark = |command: &mut Command, _| {
            command.arg(mark);
        };
        Kept::start("Marking", MARKING, with_mark).expect("started")
    }

    #[test]
    fn a_server_that_is_dropped_is_stopped_and_its_folder_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("mark");
        let kept = marking(&mark);
        let data = kept.folder.clone();
        assert!(data.is_dir() && !mark.exists());
        drop(kept);
        assert!(mark.is_file() && !data.exists());
    }

    #[test]
    fn a_server_that_does_not_start_is_stopped_and_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("mark");
        let script = MARKING.replace("{ :; }", "{ give_up \"no port $argument\"; }");
        let failed = Kept::start("Marking", &script, |command, port| {
            command.arg(&mark).arg(port.to_string());
        });
        let failure = failed.expect_err("it gave up").to_string();
        assert!(failure.starts_with("could not start Marking: no port "), "{failure}");
        assert!(mark.is_file());
    }

    #[test]
    fn a_server_that_was_killed_is_started_again_as_another_process() {
        let run = "run() { sleep 600 & daemon=$!; }";
        let script = format!("{run}\nstart() {{ run; }}\nstop() {{ kill -KILL \"$daemon\"; }}\nkeep\n");
        let mut kept = Kept::start("Again", &script, |_, _| ()).expect("started");
        let first = kept.process().expect("a process");
        process::output_of(Command::new("kill").arg("-KILL").arg(first.to_string())).expect("killed");
        kept.start_again().expect("started again");
        let second = kept.process().expect("a process");
        assert_ne!(first, second);
        process::output_of(Command::new("kill").arg("-0").arg(second.to_string())).expect("it runs");
    }

    #[test]
    fn two_servers_side_by_side_share_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (marking(&folder.path().join("one")), marking(&folder.path().join("two")));
        assert_ne!(one.folder, two.folder);
        drop(one);
        assert!(two.folder.is_dir() && !folder.path().join("two").exists());
    }

    #[test]
    fn a_server_whose_starter_is_gone_before_it_is_ready_is_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mark, gone) = (folder.path().join("mark"), folder.path().join("gone"));
        let script = MARKING.replace("{ :; }", "{ wait_until 600 test -e \"$argument\"; }");
        let data = tempfile::tempdir().expect("a folder").keep();
        let mut keeper = keeper(&script, &data, "").arg(&mark).arg(&gone).spawn().expect("started");
        drop((keeper.stdin.take(), keeper.stdout.take()));
        std::fs::write(&gone, "").expect("written");
        keeper.wait().expect("ended");
        assert!(mark.is_file() && !data.exists());
    }
}
