//! Other job queues under the loads of `cargo xtask bench jobs`: one measurement a run, printed as one line of JSON.
//!
//! The parent gives every run an empty database, and runs all sides in turns.

mod apalis;
mod graphile;
mod load;
mod measure;
mod rival;
mod river;
mod sqlxmq;
mod underway;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::rival::{BoxError, Choice, Name};

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Ground {
    #[arg(value_enum)]
    rival: Name,
    /// An empty database
    url: String,
    /// The settings of this number in the rival's list, instead of its best
    #[arg(long)]
    variant: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The list of settings that a rival is tried with, a line each
    Settings {
        #[arg(value_enum)]
        rival: Name,
    },
    /// Works off a queue that was filled before
    Process {
        #[command(flatten)]
        ground: Ground,
        /// Jobs that wait; a slow rival gets fewer
        #[arg(long)]
        jobs: usize,
    },
    /// Enqueues one job in each transaction of the business, if the rival can
    EnqueueOne {
        #[command(flatten)]
        ground: Ground,
        #[arg(long)]
        seconds: u64,
    },
    /// Enqueues a thousand jobs a call
    EnqueueMany {
        #[command(flatten)]
        ground: Ground,
        #[arg(long)]
        seconds: u64,
    },
    /// How long an idle worker takes to start a job
    Start {
        #[command(flatten)]
        ground: Ground,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(CommandLine::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), BoxError> {
    let figure = match command {
        Command::Settings { rival } => {
            for settings in rival.settings() {
                println!("{settings}");
            }
            return Ok(());
        }
        Command::Process { ground, jobs } => {
            let rival = ground.rival.open(&ground.url, ground.choice(Choice::Working)).await?;
            measure::process(&*rival, &ground.url, jobs.min(ground.rival.jobs())).await?
        }
        Command::EnqueueOne { ground, seconds } => {
            let rival = ground.rival.open(&ground.url, ground.choice(Choice::Working)).await?;
            measure::enqueue_one(rival.into(), &ground.url, seconds).await?
        }
        Command::EnqueueMany { ground, seconds } => {
            let rival = ground.rival.open(&ground.url, ground.choice(Choice::Working)).await?;
            measure::enqueue_many(rival.into(), seconds).await?
        }
        Command::Start { ground } => {
            let rival = ground.rival.open(&ground.url, ground.choice(Choice::Waking)).await?;
            measure::start(&*rival, &ground.url).await?
        }
    };
    println!("{figure}");
    Ok(())
}

impl Ground {
    fn choice(&self, best: Choice) -> Choice {
        self.variant.map_or(best, Choice::Variant)
    }
}
