//! How long requests take beside a flood of jobs: the program prints it.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How much, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Requests a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds of each arrangement of processes
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Microseconds that each job of the flood computes
    #[arg(long, default_value_t = 1_000)]
    burn_us: u64,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short { Self { seconds: 4, ..self.clone() } } else { self.clone() }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let [rate, seconds, burn] =
        [options.rate.into(), options.seconds, options.burn_us].map(|amount: u64| amount.to_string());
    let arguments = ["--rate", &rate, "--seconds", &seconds, "--burn-us", &burn];
    shown(bench, "isolation", server, &arguments.map(str::to_owned))
}
