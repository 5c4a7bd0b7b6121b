//! A steady stream of jobs beside long transactions: the program prints each phase.

use std::path::Path;

use super::program::shown;
use crate::database::Server;
use crate::failure::Outcome;

/// How much, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Jobs that come each second, and that the worker has time for
    #[arg(long, default_value_t = 800)]
    rate: u32,
    /// Seconds with long transactions
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Minutes with long transactions, in place of seconds
    #[arg(long)]
    minutes: Option<u64>,
    /// Seconds that each long transaction is held; there are always three
    #[arg(long, default_value_t = 120)]
    hold: u64,
    /// Seconds before that, and after it
    #[arg(long, default_value_t = 15)]
    around: u64,
    /// Jobs that are ready and stay so, and finished ones that are kept
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short {
            Self { seconds: 12, minutes: None, hold: 6, around: 4, rows: 100_000, ..self.clone() }
        } else {
            self.clone()
        }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let seconds = options.minutes.map_or(options.seconds, |minutes| minutes * 60);
    let [rate, seconds, hold, around, rows] =
        [options.rate.into(), seconds, options.hold, options.around, options.rows]
            .map(|amount| amount.to_string());
    let arguments = ["--rate", &rate, "--seconds", &seconds, "--hold", &hold, "--around", &around];
    let rows = ["--ready", &rows, "--finished", &rows];
    shown(
        bench,
        "dirt",
        server,
        &[arguments.as_slice(), &rows].concat().into_iter().map(str::to_owned).collect::<Vec<_>>(),
    )
}
