//! What processes cost that have nothing to do: the program prints it.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Seconds that are counted
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds before that: a worker that finds nothing looks ever less often
    #[arg(long, default_value_t = 20)]
    settle: u64,
    /// Jobs of another process whose start is measured
    #[arg(long, default_value_t = 100)]
    probes: u64,
    /// Jobs of another process that come after 12 seconds without any
    #[arg(long, default_value_t = 2)]
    rests: u64,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short { Self { seconds: 15, settle: 8, probes: 40, rests: 0 } } else { self.clone() }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let [seconds, settle, probes, rests] =
        [options.seconds, options.settle, options.probes, options.rests].map(|amount| amount.to_string());
    let arguments = ["--seconds", &seconds, "--settle", &settle, "--probes", &probes, "--rests", &rests];
    shown(bench, "idle", server, &arguments.map(str::to_owned))
}
