//! The program that `cargo xtask bench` runs: the same work, done through Dolmen and by other means, side by side.
//!
//! It prints ratios. An absolute figure belongs to one machine and one minute; both sides of a ratio had the same.

mod dirt;
mod generator;
mod idle;
mod isolation;
mod jobs;
mod load;
mod machine;
mod measure;
mod process;
mod scale;
mod seed;
mod shop;
mod sql;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dolmen::{BoxError, error_chain};

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The business transaction: an order, its event and two jobs
    Sql {
        /// An empty database
        url: String,
        #[command(flatten)]
        plan: measure::Plan,
    },
    /// One measurement of one side with jobs that do nothing, as a line of JSON
    Jobs {
        /// An empty database
        url: String,
        #[command(flatten)]
        plan: jobs::Plan,
    },
    /// Runs the application under load as one process, until its standard input ends
    Serve {
        /// A migrated database
        url: String,
        #[command(flatten)]
        serve: shop::Serve,
    },
    /// Requests over HTTP and the jobs that follow from them, at a constant rate
    Load {
        /// An empty database
        url: String,
        #[command(flatten)]
        options: load::Options,
    },
    /// The latency of requests beside a flood of jobs, in the same process and in another
    Isolation {
        /// An empty database
        url: String,
        #[command(flatten)]
        options: isolation::Options,
    },
    /// Jobs a second of one worker process, of two, of four
    Scale {
        /// An empty database
        url: String,
        #[command(flatten)]
        options: scale::Options,
    },
    /// What processes cost that have nothing to do, and how soon they start what comes
    Idle {
        /// An empty database
        url: String,
        #[command(flatten)]
        options: idle::Options,
    },
    /// Jobs a second on PostgreSQL while something is in the way, as a line of JSON
    Backlog {
        /// An empty database
        url: String,
        #[command(flatten)]
        plan: jobs::in_the_way::Plan,
    },
    /// A steady stream of jobs on PostgreSQL while long transactions keep what is dead
    Dirt {
        /// An empty database
        url: String,
        #[command(flatten)]
        options: dirt::Options,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(CommandLine::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), BoxError> {
    match command {
        Command::Sql { url, plan } => {
            let sides = sql::sides(&url, plan.writers).await?;
            print!("{}", measure::race(&sides, plan).await?);
        }
        Command::Serve { url, serve } => shop::serve(&url, serve).await?,
        Command::Load { url, options } => load::run(&url, options).await?,
        Command::Isolation { url, options } => isolation::run(&url, options).await?,
        Command::Scale { url, options } => scale::run(&url, options).await?,
        Command::Idle { url, options } => idle::run(&url, options).await?,
        Command::Backlog { url, plan } => println!("{}", jobs::in_the_way::measure(&url, plan).await?),
        Command::Dirt { url, options } => dirt::run(&url, options).await?,
        Command::Jobs { url, plan } => println!("{}", jobs::measure(&url, plan).await?),
    }
    Ok(())
}
