//! The business transaction: the program does all rounds, and prints the ratios.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How much, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Rounds; in each, every side runs once
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of one side in one round
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Tasks that write at the same time
    #[arg(long, default_value_t = 8)]
    writers: u32,
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let [rounds, seconds, writers] = [options.rounds.into(), options.seconds, options.writers.into()]
        .map(|amount: u64| amount.to_string());
    let arguments = ["--rounds", &rounds, "--seconds", &seconds, "--writers", &writers];
    shown(bench, "sql", server, &arguments.map(str::to_owned))
}
