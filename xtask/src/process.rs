//! Starting other programs: cargo above all.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::environment;
use crate::failure::{Failure, Outcome, While as _};

/// A cargo command in the given folder, free of the variables that `cargo run` gave to xtask.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(environment::variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.current_dir(folder);
    for name in environment::set_by_cargo_run() {
        command.env_remove(name);
    }
    command
}

/// Shows a command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command with our own output; `true` when it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Outcome<bool> {
    let name = shown(command);
    Ok(command.status().while_doing(format!("start `{name}`"))?.success())
}

/// Runs a command and returns what it wrote to its standard output.
pub(crate) fn output_of(command: &mut Command) -> Outcome<String> {
    let name = shown(command);
    let output = command.output().while_doing(format!("start `{name}`"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(format!("`{name}` failed ({}): {}", output.status, said(&output))))
}

/// Everything a finished program said, for an error message.
pub(crate) fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// Finds a program in the folders of `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Waits a moment before something outside is looked at again.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask polls processes; it has no runtime, and no test calls this"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A port that nobody listens on now; somebody else may take it before it is used.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).while_doing("find a free port")?.local_addr()?.port())
}
