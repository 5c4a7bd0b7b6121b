//! `cargo xtask bench`: what Dolmen does in a second, beside the same by other means, and under load.

mod backlog;
mod dirt;
mod figures;
mod idle;
mod isolation;
mod jobs;
mod load;
mod program;
mod scale;
mod sql;
mod sweep;

use clap::Subcommand;

use self::program::Program;
use crate::failure::Outcome;
use crate::grounds::{Commits, Grounds, Kind};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Subject {
    /// The business transaction (an order, its event, two jobs) against the same statements by plain sqlx
    Sql(sql::Options),
    /// Jobs that do nothing: working off, enqueueing, starting; on PostgreSQL against the same by plain statements, and
    /// against other job queues
    Jobs(jobs::Options),
    /// Requests over HTTP that enqueue jobs, at a constant rate: nothing may be lost
    Load(load::Options),
    /// How long requests take beside a flood of jobs, in another process and in the same
    Isolation(isolation::Options),
    /// Jobs a second of one worker process, of two, of four
    Scale(scale::Options),
    /// What processes cost that have nothing to do, and how soon they start a job of another process
    Idle(idle::Options),
    /// Jobs that do nothing on PostgreSQL, with a backlog behind them and beside an old snapshot
    Backlog(backlog::Options),
    /// A steady stream of jobs on PostgreSQL while long transactions keep what is dead from being removed
    Dirt(dirt::Options),
}

/// What to measure, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    subject: Subject,
    /// Only on these databases
    #[arg(long, value_enum, value_delimiter = ',', global = true)]
    on: Vec<Kind>,
    /// The short form of what runs under load: about a minute, enough to see that it still works
    #[arg(long, global = true)]
    short: bool,
}

/// Builds the programs and runs them on every database, with commits that are durable.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    let bench = Program::Bench.build(workspace)?;
    let rivals = match &options.subject {
        Subject::Jobs(jobs) if jobs.needs_rivals() => Some(Program::Rivals.build(workspace)?),
        _ => None,
    };
    let grounds = Grounds::find_or_start(&options.on(), Commits::Durable)?;
    for server in grounds.servers() {
        match &options.subject {
            Subject::Sql(sql) => sql::run(&bench, server, sql)?,
            Subject::Jobs(jobs) => jobs::run(&bench, rivals.as_deref(), server, jobs)?,
            Subject::Load(load) => load::run(&bench, server, &load.or_short(options.short))?,
            Subject::Isolation(isolation) => {
                isolation::run(&bench, server, &isolation.or_short(options.short))?;
            }
            Subject::Scale(scale) => scale::run(&bench, server, &scale.or_short(options.short))?,
            Subject::Idle(idle) => idle::run(&bench, server, &idle.or_short(options.short))?,
            // How rows are kept is PostgreSQL's own.
            Subject::Backlog(_) | Subject::Dirt(_) if server.name() != "postgres" => {}
            Subject::Backlog(backlog) => backlog::run(&bench, server, &backlog.or_short(options.short))?,
            Subject::Dirt(dirt) => dirt::run(&bench, server, &dirt.or_short(options.short))?,
        }
    }
    Ok(())
}

impl Options {
    /// Where it runs unless somebody says so.
    fn on(&self) -> Vec<Kind> {
        match self.subject {
            _ if !self.on.is_empty() => self.on.clone(),
            Subject::Sql(_) | Subject::Jobs(_) | Subject::Idle(_) => Vec::new(),
            _ => vec![Kind::Postgres],
        }
    }
}

/// Whether the program still fits the crates that it measures; the rivals do not depend on us.
pub(crate) fn check(workspace: &Workspace) -> Outcome<()> {
    Program::Bench.check(workspace)
}
