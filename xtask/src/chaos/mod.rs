//! `cargo xtask chaos`: kills real processes and looks whether anything is lost or done twice.
//!
//! A fault is a row of the reliability matrix. What happened is read from a journal that the programs write outside of
//! their database, and held against what the database says at the end. Each fault has switches that leave out one of its
//! guards; a run with such a switch must be red, or the run without it proves nothing.

mod dice;
mod hung_server;
mod journal;
mod killed_server;
mod killed_web;
mod migrations;
mod patience;
mod programs;
mod times;
mod verdict;
mod victim;
mod web;
mod workers;

use clap::ValueEnum;

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

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
    /// `migrate` is killed at every statement of twenty migrations: the next run gets to the end, or says what to do.
    #[value(name = "F4")]
    F4,
    /// PostgreSQL is killed while invoices are issued: nothing acknowledged is lost, and the web process goes on by itself.
    #[value(name = "F12")]
    F12,
    /// The same with MariaDB.
    #[value(name = "F13")]
    F13,
    /// PostgreSQL stands still for 30 seconds: requests fail at their deadline, and the web process lives and goes on.
    #[value(name = "F14")]
    F14,
}

impl Fault {
    /// Whether it starts servers for itself, instead of being played on every database that there is.
    fn has_own_servers(self) -> bool {
        match self {
            Self::F1 | Self::F2 | Self::F4 => false,
            Self::F12 | Self::F13 | Self::F14 => true,
        }
    }
}

/// Guards that can be left out: the fault that must notice, and the switch.
const SABOTAGES: [(Fault, &str); 7] = [
    (Fault::F1, "no-fencing"),
    (Fault::F1, "effect-apart"),
    (Fault::F2, "enqueue-outside-transaction"),
    (Fault::F4, "record-apart"),
    (Fault::F12, "commit-not-awaited"),
    (Fault::F13, "log-written-later"),
    (Fault::F14, "no-request-deadline"),
];

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
    /// enqueue-outside-transaction for F2, record-apart for F4, commit-not-awaited for F12, log-written-later for F13,
    /// no-request-deadline for F14
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
    let sabotage = options.sabotage.as_deref().map(|name| sabotage_of(name, &faults)).transpose()?;
    let faults = faults.into_iter().filter(|fault| sabotage.is_none_or(|(of, _)| of == *fault));
    let (own, everywhere): (Vec<Fault>, Vec<Fault>) = faults.partition(|fault| fault.has_own_servers());
    let servers = if everywhere.is_empty() { Vec::new() } else { Server::all() };
    let with_servers = !own.is_empty() || servers.iter().any(|server| *server != Server::Sqlite);
    let programs = Programs::build(workspace, with_servers, built_by)?;
    let seed = options.seed.unwrap_or_else(any_seed);
    let stage = Stage { programs: &programs, slice: options.slice, seed };
    let on_every_server =
        servers.iter().flat_map(|server| everywhere.iter().map(move |f| (*f, Some(server))));
    let mut red = Vec::new();
    for (fault, server) in on_every_server.chain(own.iter().map(|fault| (*fault, None))) {
        let on = server.map(|server| format!(" on {}", server.name())).unwrap_or_default();
        let name = format!("{}{on}", name_of(fault));
        if !stage.run(fault, server, sabotage.map(|(_, name)| name))?.is_green() {
            red.push(name.clone());
        }
        if options.slice && sabotage.is_none() {
            red.extend(stage.blind(fault, server, &name)?);
        }
    }
    if red.is_empty() { Ok(()) } else { Err(Failure::new(format!("red: {}; seed {seed}", red.join(", ")))) }
}

/// How faults are played.
struct Stage<'a> {
    programs: &'a Programs,
    slice: bool,
    seed: u64,
}

impl Stage<'_> {
    /// Plays a fault on a server, or on servers of its own.
    fn run(&self, fault: Fault, server: Option<&Server>, sabotage: Option<&'static str>) -> Outcome<Verdict> {
        let server = server.unwrap_or(&Server::Sqlite);
        match fault {
            Fault::F1 => {
                let plan = if self.slice { workers::SLICE } else { workers::FULL };
                workers::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F2 => {
                let plan = if self.slice { killed_web::SLICE } else { killed_web::FULL };
                killed_web::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F4 => {
                let plan = if self.slice { migrations::SLICE } else { migrations::FULL };
                migrations::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F12 => self.kill_server(killed_server::POSTGRES, sabotage),
            Fault::F13 => self.kill_server(killed_server::MARIADB, sabotage),
            Fault::F14 => {
                let plan = if self.slice { hung_server::SLICE } else { hung_server::FULL };
                hung_server::run(self.programs, plan, self.seed, sabotage)
            }
        }
    }

    fn kill_server(&self, plan: killed_server::Plan, sabotage: Option<&'static str>) -> Outcome<Verdict> {
        let plan = if self.slice { plan.slice() } else { plan };
        killed_server::run(self.programs, plan, self.seed, sabotage)
    }

    /// Runs each sabotage of a fault; names those that went unnoticed.
    fn blind(&self, fault: Fault, server: Option<&Server>, name: &str) -> Outcome<Vec<String>> {
        let mut blind = Vec::new();
        for (_, sabotage) in SABOTAGES.into_iter().filter(|(of, _)| *of == fault) {
            if self.run(fault, server, Some(sabotage))?.broke_a_promise() {
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
