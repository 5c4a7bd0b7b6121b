//! Requests over HTTP and the jobs that follow from them: the program prints what came of them.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How much, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Events a second: half of them are requests, each of which writes and enqueues a job, and half are those jobs
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// Seconds; with `--highest`, of each step
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Minutes, in place of seconds
    #[arg(long)]
    minutes: Option<u64>,
    /// Requests that are under way at most; those behind them wait, and their waiting counts
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Jobs that the worker runs at once
    #[arg(long, default_value_t = 16)]
    concurrency: u32,
    /// Find the highest rate that holds, beginning with `--rate`, and say what limits it
    #[arg(long)]
    highest: bool,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short { Self { seconds: 5, minutes: None, ..self.clone() } } else { self.clone() }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let seconds = options.minutes.map_or(options.seconds, |minutes| minutes * 60);
    let mut arguments = vec![
        "--rate".to_owned(),
        options.rate.to_string(),
        "--seconds".to_owned(),
        seconds.to_string(),
        "--connections".to_owned(),
        options.connections.to_string(),
        "--concurrency".to_owned(),
        options.concurrency.to_string(),
    ];
    arguments.extend(options.highest.then(|| "--highest".to_owned()));
    shown(bench, "load", server, &arguments)
}
