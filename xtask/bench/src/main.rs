//! The program that `cargo xtask bench` runs: the same work, done through Dolmen and by other means, side by side.
//!
//! It prints ratios. An absolute figure belongs to one machine and one minute; both sides of a ratio had the same.

mod jobs;
mod measure;
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
        Command::Jobs { url, plan } => println!("{}", jobs::measure(&url, plan).await?),
    }
    Ok(())
}
