//! Jobs that do nothing with something in the way, as ratios: with nothing, a backlog, an old snapshot in turns, each on a
//! database of its own.

use std::path::Path;

use serde_json::Value;

use super::figures::{median, shown};
use super::program::measured;
use crate::database::Server;
use crate::failure::{Failure, Outcome, While as _};

/// What is in the way, as the program calls it and as the table does, and the least of the rate that should be left.
const WAYS: [(&str, &str, f64); 3] = [
    ("nothing", "nothing in the way", 1.0),
    ("backlog", "a backlog behind", 0.9),
    ("snapshot", "beside an old snapshot", 0.8),
];

/// How much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Rounds; in each, every side runs once
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Jobs that are measured
    #[arg(long, default_value_t = 400_000)]
    jobs: u64,
    /// Jobs of the same queue behind them that are ready as well
    #[arg(long, default_value_t = 1_000_000)]
    backlog: u64,
    /// How many the worker runs at once
    #[arg(long, default_value_t = 4_000)]
    concurrency: u32,
}

impl Options {
    /// These, or those of the short form.
    pub(super) fn or_short(&self, short: bool) -> Self {
        if short { Self { rounds: 3, jobs: 50_000, backlog: 200_000, ..self.clone() } } else { self.clone() }
    }
}

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let mut rates: [Vec<f64>; WAYS.len()] = Default::default();
    for round in 0..options.rounds {
        let mut order: Vec<usize> = (0..WAYS.len()).collect();
        // Who begins changes: a server is not the same after a second of work.
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let (Some((name, label, _)), Some(rates)) = (WAYS.get(index), rates.get_mut(index)) else {
                continue;
            };
            rates.push(rate(bench, server, options, name).while_doing(format!("measure with {label}"))?);
        }
    }
    println!(
        "bench backlog on {}: {} jobs that do nothing, {} at once; the backlog are {} ready jobs of the same queue, the snapshot \
         is from before the first job; {} rounds, medians",
        server.name(),
        options.jobs,
        options.concurrency,
        options.backlog,
        options.rounds
    );
    let [free, ..] = &rates;
    println!("  {:26}{:>9}{:>9}", "", "jobs/s", "ratio");
    for ((_, label, least), rates) in WAYS.iter().zip(&rates) {
        // The median of each round's ratio, not the ratio of medians: all sides of one round met the same minute.
        let ratios: Vec<f64> = rates.iter().zip(free).map(|(rate, free)| rate / free).collect();
        let kept = if median(&ratios).is_some_and(|ratio| ratio >= *least) { "kept" } else { "missed" };
        println!("  {label:26}{:>9}{:>9}   target {least}: {kept}", shown(rates, 0), shown(&ratios, 2));
    }
    Ok(())
}

fn rate(bench: &Path, server: &Server, options: &Options, way: &str) -> Outcome<f64> {
    let [jobs, backlog, concurrency] =
        [options.jobs, options.backlog, options.concurrency.into()].map(|amount| amount.to_string());
    let arguments = ["--jobs", &jobs, "--backlog", &backlog, "--concurrency", &concurrency];
    let said = measured(bench, server, &["backlog"], &[&[way], arguments.as_slice()].concat())?;
    let rate = said.get("per_second").and_then(Value::as_f64);
    rate.ok_or_else(|| Failure::new(format!("no rate, but: {said}")))
}
