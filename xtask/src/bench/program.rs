//! The programs that measure, each a workspace of its own: what Dolmen is compared with is no part of the product.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Dolmen and plain statements.
    Bench,
    /// Other job queues.
    Rivals,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Bench => "bench",
            Self::Rivals => "rivals",
        }
    }

    /// In a folder apart from ours, since the versions of crates differ.
    fn target(self) -> String {
        format!("../../target/{}", self.name())
    }

    pub(super) fn check(self, workspace: &Workspace) -> Outcome<()> {
        self.cargo(workspace, &["fmt", "--check"])?;
        self.cargo(workspace, &["check", "--locked", "--quiet", "--target-dir", &self.target()])
    }

    pub(super) fn build(self, workspace: &Workspace) -> Outcome<PathBuf> {
        self.cargo(workspace, &["build", "--release", "--locked", "--target-dir", &self.target()])?;
        let name = self.name();
        Ok(workspace.root().join(format!("target/{name}/release/{name}")))
    }

    fn cargo(self, workspace: &Workspace, arguments: &[&str]) -> Outcome<()> {
        let mut command = process::cargo(&workspace.root().join("xtask").join(self.name()));
        command.args(arguments);
        if process::succeeds(&mut command)? {
            return Ok(());
        }
        Err(Failure::new(format!("`{}` failed", process::shown(&command))))
    }
}

/// Gives it a new database, and drops that afterwards, whatever happened.
pub(super) fn on_new_database<T>(server: &Server, work: impl FnOnce(&str) -> Outcome<T>) -> Outcome<T> {
    let folder = tempfile::Builder::new().prefix("dolmen-bench-").tempdir()?;
    let database = format!("dolmen_bench_{}", std::process::id());
    let url = server.new_database(folder.path(), &database)?;
    let done = work(&url);
    server.drop_database(&database)?;
    done
}

/// Runs a program that prints a line of JSON, on a new database.
pub(super) fn measured(program: &Path, server: &Server, before: &[&str], after: &[&str]) -> Outcome<Value> {
    on_new_database(server, |url| {
        let printed = process::output_of(Command::new(program).args(before).arg(url).args(after))?;
        let line = printed.lines().last().unwrap_or_default();
        serde_json::from_str(line).map_err(|_| Failure::new(format!("no figures, but: {printed}")))
    })
}

/// Runs a subject of the program, which prints its table itself, on a new database.
pub(super) fn shown(program: &Path, subject: &str, server: &Server, arguments: &[String]) -> Outcome<()> {
    println!("bench {subject} on {}:", server.name());
    let succeeded = on_new_database(server, |url| {
        process::succeeds(Command::new(program).arg(subject).arg(url).args(arguments))
    });
    if succeeded? {
        return Ok(());
    }
    Err(Failure::new(format!("the bench {subject} on {} failed", server.name())))
}
