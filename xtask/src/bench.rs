//! `cargo xtask bench`: the same work through Dolmen and by other means, side by side, as ratios.

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use crate::failure::{Failure, Outcome};
use crate::grounds::{Commits, Grounds, Kind};
use crate::process;
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The business transaction (an order, its event, two jobs) against the same statements by plain sqlx
    Sql,
    /// Working off a queue of jobs that do nothing, against the same design by plain statements (on PostgreSQL)
    Jobs,
}

/// What to measure, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What is measured
    #[arg(value_enum)]
    subject: Subject,
    /// Only on these databases
    #[arg(long, value_enum, value_delimiter = ',')]
    on: Vec<Kind>,
    /// Rounds; in each, every side runs once
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// sql: seconds of one side in one round
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// sql: tasks that write at the same time
    #[arg(long, default_value_t = 8)]
    writers: u32,
    /// jobs: how many wait when a side begins
    #[arg(long, default_value_t = 200_000)]
    jobs: u64,
    /// jobs: how many a worker of Dolmen runs at once
    #[arg(long, default_value_t = 1_000)]
    concurrency: u32,
}

/// Builds the program and runs it on every database, with commits that are durable.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    let program = build(workspace)?;
    let grounds = Grounds::find_or_start(&options.on, Commits::Durable)?;
    for server in grounds.servers() {
        let folder = tempfile::Builder::new().prefix("dolmen-bench-").tempdir()?;
        let database = format!("dolmen_bench_{}", std::process::id());
        let url = server.new_database(folder.path(), &database)?;
        let (subject, amounts) = match options.subject {
            Subject::Sql => ("sql", [("--seconds", options.seconds), ("--writers", options.writers.into())]),
            Subject::Jobs => {
                ("jobs", [("--jobs", options.jobs), ("--concurrency", options.concurrency.into())])
            }
        };
        println!("bench {subject} on {}:", server.name());
        let mut command = Command::new(&program);
        command.arg(subject).arg(&url).args(["--rounds", &options.rounds.to_string()]);
        for (name, amount) in amounts {
            command.args([name, &amount.to_string()]);
        }
        let succeeded = process::succeeds(&mut command);
        server.drop_database(&database)?;
        if !succeeded? {
            return Err(Failure::new(format!("the bench on {} failed", server.name())));
        }
    }
    Ok(())
}

/// Whether the program still fits the crates that it measures.
pub(crate) fn check(workspace: &Workspace) -> Outcome<()> {
    cargo(workspace, &["fmt", "--check"])?;
    cargo(workspace, &["check", "--locked", "--quiet", "--target-dir", "../../target/bench"])
}

fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    cargo(workspace, &["build", "--release", "--locked", "--target-dir", "../../target/bench"])?;
    Ok(workspace.root().join("target/bench/release/bench"))
}

/// The program is a workspace of its own: what Dolmen is compared with is no part of the product.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Outcome<()> {
    let mut command = process::cargo(&workspace.root().join("xtask/bench"));
    command.args(arguments);
    if process::succeeds(&mut command)? {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed", process::shown(&command))))
}
