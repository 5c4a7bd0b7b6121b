//! The program that `cargo xtask bench` runs: the same work, done through Dolmen and by other means, side by side.
//!
//! It prints ratios. An absolute figure belongs to one machine and one minute; both sides of a ratio had the same.

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
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Sql { url, plan } = CommandLine::parse().command;
    match run(&url, plan).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(url: &str, plan: measure::Plan) -> Result<(), BoxError> {
    let sides = sql::sides(url, plan.writers).await?;
    print!("{}", measure::race(&sides, plan).await?);
    Ok(())
}
