//! The programs under test, built.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

use super::database::Server;

/// Where the programs lie.
#[derive(Debug)]
pub(super) struct Programs {
    /// The worker of F1 and the sabotaged programs.
    pub(super) chaos: PathBuf,
    /// The program of F2, as it ships.
    pub(super) reference_app: PathBuf,
}

/// Who else has built them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltBy {
    /// Nobody: build the programs alone.
    Chaos,
    /// `cargo xtask test`, with all features: the same command finds them built.
    Tests,
}

impl Programs {
    /// Builds them, with the drivers of these servers.
    pub(super) fn build(workspace: &Workspace, servers: &[Server], built_by: BuiltBy) -> Outcome<Self> {
        let mut command = process::cargo(workspace.root());
        match built_by {
            BuiltBy::Tests => command.args(["test", "--workspace", "--all-features", "--no-run", "--quiet"]),
            BuiltBy::Chaos => {
                command.args(["build", "--package", "chaos", "--package", "dolmen-reference-app"])
            }
        };
        if built_by == BuiltBy::Chaos && servers.iter().any(|server| *server != Server::Sqlite) {
            command.args(["--features", "chaos/postgres,dolmen-reference-app/postgres"]);
        }
        if !process::succeeds(&mut command)? {
            return Err(Failure::new(format!("`{}` failed", process::shown(&command))));
        }
        let folder = workspace.target().join("debug");
        Ok(Self { chaos: folder.join("chaos"), reference_app: folder.join("dolmen-reference-app") })
    }
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Outcome<()> {
    let mut command = process::cargo(workspace.root());
    command.args(arguments);
    if process::succeeds(&mut command)? {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed", process::shown(&command))))
}
