//! The programs under test, built.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// Where the programs lie.
#[derive(Debug)]
pub(super) struct Programs {
    /// The worker of F1 and the sabotaged programs.
    pub(super) chaos: PathBuf,
    /// Stores objects.
    pub(super) objects: PathBuf,
    /// The program of F2, as it ships.
    pub(super) reference_app: PathBuf,
    /// What stands between a program and its server when the network is at fault.
    pub(super) proxy: PathBuf,
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
    /// Builds them, with the drivers of servers if need be.
    pub(super) fn build(workspace: &Workspace, with_servers: bool, built_by: BuiltBy) -> Outcome<Self> {
        let folder = workspace.target().join("debug");
        let programs = Self {
            chaos: folder.join("chaos"),
            objects: folder.join("chaos-objects"),
            reference_app: folder.join("dolmen-reference-app"),
            proxy: folder.join("examples").join("proxy"),
        };
        if built_by == BuiltBy::Tests {
            cargo(workspace, &["test", "--workspace", "--all-features", "--no-run", "--quiet"])?;
            // Cargo builds the programs of packages whose tests start them.
            let built = [&programs.chaos, &programs.objects, &programs.reference_app, &programs.proxy];
            if built.iter().all(|program| program.is_file()) {
                return Ok(programs);
            }
        }
        let mut arguments = vec!["build", "--package", "chaos", "--package", "dolmen-reference-app"];
        // All drivers or the embedded one: one more choice would be one more build.
        if with_servers {
            arguments.extend(["--features", "chaos/postgres,chaos/mysql"]);
        }
        cargo(workspace, &arguments)?;
        if with_servers {
            cargo(workspace, &["build", "--package", "dolmen-testkit", "--example", "proxy"])?;
        }
        Ok(programs)
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
