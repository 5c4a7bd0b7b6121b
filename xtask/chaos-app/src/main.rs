//! The program that `cargo xtask chaos` starts, stops and kills: real processes with the real worker on a real database.
//!
//! It knows nothing of the harness but a journal, a file that both append to: what a handler begins and ends stands there
//! at once, whatever becomes of the database. With a sabotage switch it leaves out one guard, so that the harness can
//! prove that it would notice.

mod borrow;
mod commands;
mod counted;
mod journal;
mod module;
mod native;
mod play;
mod sabotage;
mod steps;
mod task;
mod ticks;
mod worker;
mod wrong_clock;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use dolmen::{BoxError, error_chain};
use dolmen_sql::SqlOptions;

use crate::sabotage::Sabotage;

/// Enqueues jobs, works on them, and tells what is in the database.
#[derive(Debug, Parser)]
struct CommandLine {
    /// The `DATABASE_URL`.
    url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Brings the schema up to date
    Migrate,
    /// Applies the twenty migrations of F4
    Steps {
        /// Hang after so many of their statements, until somebody ends it.
        #[arg(long, requires = "mark")]
        hang_after: Option<usize>,
        /// The file that is made on SQLite when it hangs.
        #[arg(long)]
        mark: Option<PathBuf>,
        /// Commit their statements without their record.
        #[arg(long)]
        record_apart: bool,
    },
    /// Prints each statement of these: its migration, its number in it, and how PostgreSQL runs it
    ListSteps,
    /// Prints what these have made: tables, indexes, rows and records
    Schema,
    /// Enqueues jobs, and writes the id of each to the journal once it is committed
    Enqueue {
        /// The journal.
        journal: PathBuf,
        /// How many.
        count: u32,
    },
    /// Enqueues tasks in one transaction, and writes their ids to the journal once it is committed
    EnqueueTasks(worker::Tasks),
    /// Runs a worker, a scheduler or both until SIGTERM
    Work(worker::Work),
    /// Borrows a whole pool again and again, and says each time whether it could be had
    Borrow {
        /// How many connections.
        connections: u32,
        /// How long an answer is waited for, in milliseconds.
        limit_ms: u64,
        /// From a pool of sqlx, without what we do around it.
        #[arg(long)]
        plain: bool,
    },
    /// Serves the reference app, configured by the environment, without a guard
    Serve {
        /// The guard to leave out.
        sabotage: Sabotage,
    },
    /// Prints the payload of each job of a kind
    Payloads {
        /// The kind.
        kind: String,
    },
    /// Prints how many jobs are in each state
    Jobs,
    /// Prints each tick that is recorded: the schedule and microseconds since 1970
    Ticks,
    /// Prints the latest tick that is recorded of a schedule, in seconds since 1970
    LastTick {
        /// The schedule.
        schedule: String,
    },
    /// Prints each effect: the job and the process
    Effects,
    /// Plays a fault on an empty, migrated database and prints what happened as JSON
    #[command(subcommand)]
    Play(play::Play),
    /// Prints each dead job and why it is dead
    Dead,
    /// Gives dead jobs their attempts back, as an operator would, and prints how many
    Retry,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(CommandLine::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(line: CommandLine) -> Result<(), BoxError> {
    if let Command::Play(played) = line.command {
        println!("{}", play::play(&line.url, played).await?);
        return Ok(());
    }
    if let Command::Borrow { connections, limit_ms, plain } = line.command {
        let limit = Duration::from_millis(limit_ms);
        #[cfg(feature = "postgres")]
        if plain {
            return borrow::borrow_plain(&line.url, connections, limit).await;
        }
        if plain {
            return Err("without the feature postgres there is no pool of sqlx to borrow from".into());
        }
        return borrow::borrow(&line.url, connections, limit).await;
    }
    let options = match line.command {
        Command::Work(ref work) => work.options(&line.url),
        _ => SqlOptions::new(),
    };
    let opened = commands::Opened::open(&line.url, options).await?;
    match line.command {
        Command::Play(_) | Command::Borrow { .. } => Ok(()),
        Command::Migrate => commands::migrate(&opened).await,
        Command::Steps { hang_after, mark, record_apart } => {
            let hang = hang_after.zip(mark.as_deref()).map(|(after, mark)| steps::Hang { after, mark });
            commands::migrate_steps(&opened, hang, record_apart).await
        }
        Command::ListSteps => {
            for statement in steps::listed() {
                println!("{statement}");
            }
            Ok(())
        }
        Command::Schema => commands::print_schema(&opened).await,
        Command::Enqueue { journal, count } => commands::enqueue(&opened, &journal, count).await,
        Command::EnqueueTasks(tasks) => worker::enqueue(&opened, tasks).await,
        Command::Work(work) => worker::work(opened, work).await,
        Command::Serve { sabotage } => commands::serve(sabotage).await,
        Command::Payloads { kind } => commands::print_payloads(&opened, &kind).await,
        Command::Jobs => commands::print_jobs(&opened).await,
        Command::LastTick { schedule } => ticks::print_last(&opened.database, &schedule).await,
        Command::Ticks => ticks::print(&opened.database).await,
        Command::Effects => commands::print_effects(&opened).await,
        Command::Dead => commands::print_dead(&opened).await,
        Command::Retry => commands::retry_dead(&opened).await,
    }
}
