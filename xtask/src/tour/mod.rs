//! `cargo xtask tour`: the README's tour, pasted into bash as it stands.

mod page;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::apt;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::reference_app::ReferenceApp;
use crate::workspace::Workspace;

use self::page::Tour;

const PACKAGE: &str = "dolmen-reference-app";
const POLL: Duration = Duration::from_millis(50);
const DEADLINE: Duration = Duration::from_mins(2);

/// Builds the app as the README says, starts it on an empty folder, runs the tour and holds its output against what the
/// README shows.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let tour = Tour::of(&workspace.read("README.md")?)?;
    for program in ["bash", "curl"] {
        if process::find_program(program).is_none() {
            apt::install(&[program]).while_doing(format!("get {program}"))?;
        }
    }
    let mut build = process::cargo(workspace.root());
    build.args(["build", "--package", PACKAGE]);
    println!("$ {}", process::shown(&build));
    if !process::succeeds(&mut build)? {
        return Err(Failure::new("the reference app does not build"));
    }
    let folder = tempfile::tempdir()?;
    let mut app = ReferenceApp::start(&workspace.target().join("debug").join(PACKAGE), folder.path())?;
    app.wait_until_ready()?;
    let said = paste(&tour, &app, folder.path())?;
    tour.check(&said)?;
    app.stop()?;
    println!("tour: ok, {} lines as the README shows them", tour.expected_lines());
    Ok(())
}

/// Runs the blocks in one bash, which ends at the first command that fails; returns what it printed.
fn paste(tour: &Tour, app: &ReferenceApp, folder: &Path) -> Outcome<String> {
    let path = folder.join("tour.txt");
    let output = File::create(&path).while_doing("write the output of the tour")?;
    let mut bash = Command::new("bash")
        .args(["-euo", "pipefail", "-c", tour.script()])
        .current_dir(folder)
        .env("API", format!("http://127.0.0.1:{}", app.port))
        .env("OPS", format!("http://127.0.0.1:{}", app.management))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .while_doing("start bash")?;
    let start = Instant::now();
    let outcome = loop {
        match bash.try_wait()? {
            Some(status) if status.success() => break Ok(()),
            Some(status) => break Err(format!("the tour ended with {status}")),
            None if start.elapsed() > DEADLINE => {
                bash.kill()?;
                bash.wait()?;
                break Err(format!("the tour did not end within {DEADLINE:?}"));
            }
            None => process::pause(POLL),
        }
    };
    let said = fs::read_to_string(&path).while_doing("read the output of the tour")?;
    match outcome {
        Ok(()) => Ok(said),
        Err(what) => Err(Failure::new(format!("{what}; it said:\n{said}\nand the app:\n{}", app.log()))),
    }
}
