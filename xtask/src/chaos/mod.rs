//! `cargo xtask chaos`: kills real processes and looks whether anything is lost or done twice.
//!
//! A fault is a row of the reliability matrix. What happened is read from a journal that the programs write outside of
//! their database, and held against what the database says at the end. Each fault has switches that leave out one of its
//! guards; a run with such a switch must be red, or the run without it proves nothing.

mod database;
mod dice;
mod journal;
mod patience;
mod programs;
mod verdict;
mod victim;
mod web;
mod workers;

use clap::ValueEnum;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

pub(crate) use self::database::Server;
use self::dice::any_seed;
use self::programs::{BuiltBy, Programs};
use self::verdict::Verdict;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Workers are killed and stopped during jobs: each effect is there exactly once.
    #[value(name = "F1")]
    F1,
    /// The web process is killed while invoices are issued: each has its event, and no number is missing.
    #[value(name = "F2")]
    F2,
}

/// Guards that can be left out: the fault that must notice, and the switch.
const SABOTAGES: [(Fault, &str); 3] =
    [(Fault::F1, "no-fencing"), (Fault::F1, "effect-apart"), (Fault::F2, "enqueue-outside-transaction")];

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these faults, such as F1,F2
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fault>,
    /// Repeats a run: chooses victims and moments (the machine still has its own timing)
    #[arg(long)]
    seed: Option<u64>,
    /// The short form that `cargo xtask ci` runs, sabotage included
    #[arg(long)]
    slice: bool,
    /// Leaves out a guard; the run should then be red: no-fencing or effect-apart for F1,
    /// enqueue-outside-transaction for F2
    #[arg(long)]
    sabotage: Option<String>,
}

/// Runs the faults on every database there is; fails when one is red.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    run_built(workspace, options, BuiltBy::Chaos)
}

/// The short form of all faults, after `cargo xtask test`.
pub(crate) fn run_slice(workspace: &Workspace) -> Outcome<()> {
    let options = Options { only: Vec::new(), seed: None, slice: true, sabotage: None };
    run_built(workspace, &options, BuiltBy::Tests)
}

fn run_built(workspace: &Workspace, options: &Options, built_by: BuiltBy) -> Outcome<()> {
    let chosen = |fault: &Fault| options.only.is_empty() || options.only.contains(fault);
    let faults: Vec<Fault> = Fault::value_variants().iter().copied().filter(chosen).collect();
    let seed = options.seed.unwrap_or_else(any_seed);
    let servers = Server::all();
    let programs = Programs::build(workspace, &servers, built_by)?;
    let sabotage = options.sabotage.as_deref().map(|name| sabotage_of(name, &faults)).transpose()?;
    let mut red = Vec::new();
    for server in &servers {
        let stage = Stage { programs: &programs, server, slice: options.slice, seed };
        for fault in faults.iter().filter(|fault| sabotage.is_none_or(|(of, _)| of == **fault)) {
            if !stage.run(*fault, sabotage.map(|(_, name)| name))?.is_green() {
                red.push(format!("{} on {}", name_of(*fault), server.name()));
            }
        }
        if options.slice && sabotage.is_none() {
            red.extend(stage.blind(&faults)?);
        }
    }
    if red.is_empty() { Ok(()) } else { Err(Failure::new(format!("red: {}; seed {seed}", red.join(", ")))) }
}

/// Where a fault is played.
struct Stage<'a> {
    programs: &'a Programs,
    server: &'a Server,
    slice: bool,
    seed: u64,
}

impl Stage<'_> {
    fn run(&self, fault: Fault, sabotage: Option<&'static str>) -> Outcome<Verdict> {
        match fault {
            Fault::F1 => {
                let plan = if self.slice { workers::SLICE } else { workers::FULL };
                workers::run(self.programs, self.server, plan, self.seed, sabotage)
            }
            Fault::F2 => {
                let plan = if self.slice { web::SLICE } else { web::FULL };
                web::run(self.programs, self.server, plan, self.seed, sabotage)
            }
        }
    }

    /// Runs each sabotage of the faults; names those that went unnoticed.
    fn blind(&self, faults: &[Fault]) -> Outcome<Vec<String>> {
        let mut blind = Vec::new();
        for (fault, sabotage) in SABOTAGES.into_iter().filter(|(fault, _)| faults.contains(fault)) {
            let name = format!("{} on {}", name_of(fault), self.server.name());
            if self.run(fault, Some(sabotage))?.broke_a_promise() {
                println!("chaos: {name} noticed {sabotage}, as it should");
            } else {
                blind.push(format!("{name} did not notice {sabotage}"));
            }
        }
        Ok(blind)
    }
}

fn sabotage_of(name: &str, faults: &[Fault]) -> Outcome<(Fault, &'static str)> {
    let known = SABOTAGES.into_iter().filter(|(fault, _)| faults.contains(fault));
    known.clone().find(|(_, known)| *known == name).ok_or_else(|| {
        let names: Vec<&str> = known.map(|(_, name)| name).collect();
        Failure::new(format!("no sabotage {name:?}; there are: {}", names.join(", ")))
    })
}

fn name_of(fault: Fault) -> String {
    fault.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
