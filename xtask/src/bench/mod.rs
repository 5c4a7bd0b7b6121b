//! `cargo xtask bench`: the same work through Dolmen and by other means, side by side, as ratios.

mod figures;
mod jobs;
mod program;
mod sql;
mod sweep;

use clap::ValueEnum;

use self::program::Program;
use crate::failure::Outcome;
use crate::grounds::{Commits, Grounds, Kind};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The business transaction (an order, its event, two jobs) against the same statements by plain sqlx
    Sql,
    /// Jobs that do nothing: working off, enqueueing, starting; on PostgreSQL against the same by plain statements, and
    /// against other job queues
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
    /// Seconds of one side in one round, where writing is measured
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// sql: tasks that write at the same time
    #[arg(long, default_value_t = 8)]
    writers: u32,
    /// jobs: how many wait when a side begins; rivals that are slow get fewer
    #[arg(long, default_value_t = 200_000)]
    jobs: u64,
    /// jobs: how many a worker of Dolmen runs at once
    #[arg(long, default_value_t = 1_000)]
    concurrency: u32,
    /// jobs, on PostgreSQL: other job queues too, each at its best settings (builds `xtask/rivals`)
    #[arg(long)]
    rivals: bool,
    /// jobs, on PostgreSQL: tries the settings of each rival instead, and prints what each brings
    #[arg(long)]
    sweep: bool,
}

/// Builds the programs and runs them on every database, with commits that are durable.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    let bench = Program::Bench.build(workspace)?;
    let rivals = if options.rivals || options.sweep { Some(Program::Rivals.build(workspace)?) } else { None };
    let grounds = Grounds::find_or_start(&options.on, Commits::Durable)?;
    for server in grounds.servers() {
        // The rivals know no other database.
        let rivals = rivals.as_deref().filter(|_| server.name() == "postgres");
        match (options.subject, rivals) {
            (Subject::Sql, _) => sql::run(&bench, server, options)?,
            (Subject::Jobs, Some(rivals)) if options.sweep => sweep::run(rivals, server, options)?,
            (Subject::Jobs, _) if options.sweep => {}
            (Subject::Jobs, rivals) => jobs::run(&bench, rivals, server, options)?,
        }
    }
    Ok(())
}

/// Whether the program still fits the crates that it measures; the rivals do not depend on us.
pub(crate) fn check(workspace: &Workspace) -> Outcome<()> {
    Program::Bench.check(workspace)
}
