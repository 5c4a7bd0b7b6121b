//! Jobs that do nothing: all sides in turns, each on a database of its own.

use std::path::Path;

use super::figures::{Figures, Measure};
use super::program::measured;
use super::sweep;
use crate::database::Server;
use crate::failure::{Outcome, While as _};

/// The rivals, by the name that their program knows and the one that the table shows.
pub(super) const RIVALS: [(&str, &str); 5] = [
    ("graphile", "graphile_worker"),
    ("river", "riverqueue"),
    ("apalis", "apalis-postgres"),
    ("sqlxmq", "sqlxmq"),
    ("underway", "underway"),
];

/// How much, and against whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Rounds; in each, every side runs once
    #[arg(long, default_value_t = 5)]
    pub(super) rounds: u32,
    /// Only these measures
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measure>,
    /// Seconds of one side in one round, where writing is measured
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many wait when a side begins; those that are slow get fewer
    #[arg(long, default_value_t = 400_000)]
    pub(super) jobs: u64,
    /// How many a worker of Dolmen runs at once
    #[arg(long, default_value_t = 4_000)]
    concurrency: u32,
    /// On PostgreSQL: other job queues too, each at its best settings (builds `xtask/rivals`)
    #[arg(long)]
    rivals: bool,
    /// On PostgreSQL: tries the settings of each rival instead, and prints what each brings
    #[arg(long)]
    sweep: bool,
}

impl Options {
    pub(super) fn needs_rivals(&self) -> bool {
        self.rivals || self.sweep
    }
}

/// Who is measured, by what program.
struct Side<'a> {
    name: &'static str,
    shown: &'static str,
    program: &'a Path,
    is_rival: bool,
}

/// Runs all sides, or sweeps the rivals, which know PostgreSQL alone.
pub(super) fn run(bench: &Path, rivals: Option<&Path>, server: &Server, options: &Options) -> Outcome<()> {
    match rivals.filter(|_| server.name() == "postgres") {
        Some(rivals) if options.sweep => sweep::run(rivals, server, options),
        _ if options.sweep => Ok(()),
        rivals => race(bench, rivals, server, options),
    }
}

/// Runs all sides, measure by measure, and prints one table.
fn race(bench: &Path, rivals: Option<&Path>, server: &Server, options: &Options) -> Outcome<()> {
    let sides = sides(bench, rivals, server.name() == "postgres");
    let mut figures = Figures::new(sides.iter().map(|side| side.shown));
    let is_wanted = |measure: &Measure| options.only.is_empty() || options.only.contains(measure);
    for measure in Measure::ALL.into_iter().filter(is_wanted) {
        for round in 0..options.rounds {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            // Who begins changes: a server is not the same after a second of work.
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let Some(side) = sides.get(index).filter(|side| side.has(measure)) else { continue };
                let said = side.measure(measure, server, options);
                match said.while_doing(format!("measure {} of {}", measure.name(), side.shown)) {
                    Ok(said) => figures.add(index, measure, &said),
                    // What others do is not ours to mend, and the rounds so far took minutes.
                    Err(failure) if side.is_rival => {
                        println!("  {failure}");
                        figures.miss(index, measure);
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    println!(
        "bench jobs on {}: up to {} jobs that do nothing, {} at once with Dolmen, {} rounds, medians",
        server.name(),
        options.jobs,
        options.concurrency,
        options.rounds
    );
    print!("{figures}");
    Ok(())
}

fn sides<'a>(bench: &'a Path, rivals: Option<&'a Path>, has_plain: bool) -> Vec<Side<'a>> {
    let ours = [
        ("dolmen", "Dolmen"),
        ("lease-per-claim", "plain, a lease per claim"),
        ("task-per-job", "the same, a task per job"),
        ("lease-per-job", "plain, a lease per job"),
    ];
    let ours = ours.into_iter().filter(|(name, _)| has_plain || *name == "dolmen");
    let mut sides: Vec<Side<'a>> =
        ours.map(|(name, shown)| Side { name, shown, program: bench, is_rival: false }).collect();
    if let Some(program) = rivals {
        sides.extend(RIVALS.map(|(name, shown)| Side { name, shown, program, is_rival: true }));
    }
    sides
}

impl Side<'_> {
    /// Plain statements have no worker that sleeps, and both designs enqueue in the same way.
    fn has(&self, measure: Measure) -> bool {
        match self.name {
            "lease-per-claim" => measure != Measure::Start,
            "task-per-job" | "lease-per-job" => measure == Measure::Process,
            _ => true,
        }
    }

    fn measure(&self, measure: Measure, server: &Server, options: &Options) -> Outcome<serde_json::Value> {
        // It takes as long for an eighth of the jobs as the others do.
        let jobs = if self.name == "lease-per-job" { options.jobs / 8 } else { options.jobs };
        let [jobs, concurrency, seconds] =
            [jobs, options.concurrency.into(), options.seconds].map(|amount| amount.to_string());
        if !self.is_rival {
            let arguments = ["--jobs", &jobs, "--concurrency", &concurrency, "--seconds", &seconds];
            let after = [&[measure.name(), self.name], arguments.as_slice()].concat();
            return measured(self.program, server, &["jobs"], &after);
        }
        let amount: &[&str] = match measure {
            Measure::Process => &["--jobs", &jobs],
            Measure::EnqueueOne | Measure::EnqueueMany => &["--seconds", &seconds],
            Measure::Start => &[],
        };
        measured(self.program, server, &[measure.name(), self.name], amount)
    }
}
