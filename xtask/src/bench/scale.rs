//! Jobs a second of several worker processes: the program prints them.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Seconds that one process takes with the jobs of each kind, about
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Numbers of processes, with commas between them
    #[arg(long, default_value = "1,2,4")]
    processes: String,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short { Self { seconds: 1, processes: "1,2".to_owned() } } else { self.clone() }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let seconds = options.seconds.to_string();
    let arguments = ["--seconds", &seconds, "--processes", &options.processes];
    shown(bench, "scale", server, &arguments.map(str::to_owned))
}
