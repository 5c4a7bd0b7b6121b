//! `cargo xtask chaos`: kills real processes and looks whether anything is lost or done twice.
//!
//! Each fault has a number, F1 to F44; `--help` names those that there are. What happened is read from a journal that the programs write outside of
//! their database, and held against what the database says at the end. Each fault has switches that leave out one of its
//! guards; a run with such a switch must be red, or the run without it proves nothing.

mod bad_weather;
mod blocked_workers;
mod cut_commits;
mod dark_network;
mod dice;
mod drained_workers;
mod effects;
mod full_disk;
mod full_server;
mod hung_server;
mod journal;
mod killed_schedulers;
mod killed_server;
mod killed_web;
mod migrations;
mod no_wakeup;
mod patience;
mod played;
mod poison;
mod programs;
mod promoted_standby;
mod proxy;
mod returned_server;
mod site;
mod stale_reads;
mod stopped_workers;
mod ticks;
mod times;
mod turned_clocks;
mod verdict;
mod victim;
mod web;
mod workers;
mod wrong_clocks;

use clap::ValueEnum;

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::grounds::{Commits, Grounds, Kind};
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
    /// Schedulers are killed around ticks: each tick is published once, or passed over as its schedule says.
    #[value(name = "F3")]
    F3,
    /// `migrate` is killed at every statement of twenty migrations: the next run gets to the end, or says what to do.
    #[value(name = "F4")]
    F4,
    /// Workers stand still for twice their lease and go on: others have taken over, and their commits are refused.
    #[value(name = "F5")]
    F5,
    /// Workers are told to end with jobs shorter and longer than their time: these end, those are given back uncounted.
    #[value(name = "F6")]
    F6,
    /// Jobs abort their process each time that they run: they are dead after three, and the other jobs are done.
    #[value(name = "F9")]
    F9,
    /// Handlers block the threads of the runtime for longer than their lease: the lease holds, and somebody is told.
    #[value(name = "F11")]
    F11,
    /// PostgreSQL is killed while invoices are issued: nothing acknowledged is lost, and the web process goes on by itself.
    #[value(name = "F12")]
    F12,
    /// The same with MariaDB.
    #[value(name = "F13")]
    F13,
    /// PostgreSQL stands still for 30 seconds: requests fail at their deadline, and the web process lives and goes on.
    #[value(name = "F14")]
    F14,
    /// The answer to a commit is cut off: the client tries again under its key, and everything is there once.
    #[value(name = "F15")]
    F15,
    /// The network delivers nothing and says nothing: the whole pool is there again soon after the network is.
    #[value(name = "F16")]
    F16,
    /// A slow, trickling, cutting network between workers and database: no job is stuck, no connection left over.
    #[value(name = "F17")]
    F17,
    /// The server has no connection left: who starts waits, who runs goes on, and it is asked again now and then.
    #[value(name = "F18")]
    F18,
    /// A streaming standby is promoted while the database's name points to one that reads: writes go on by themselves.
    #[value(name = "F19")]
    F19,
    /// Units of work are dropped at each of their awaits: the next borrower of the connection finds nothing of them.
    #[value(name = "F21")]
    F21,
    /// Deadlocks, serialization failures, locks not had: the whole unit runs again, a few times, and then says so.
    #[value(name = "F22")]
    F22,
    /// Transactions are held for minutes, so nothing dead is removed: claims stay quick, and the holder is named.
    #[value(name = "F23")]
    F23,
    /// The disk of the database, the objects and the log is full again and again: nothing acknowledged is lost or torn.
    #[value(name = "F25")]
    F25,
    /// Clients write and read from replicas that are behind: each sees its own write.
    #[value(name = "F26")]
    F26,
    /// The schema changes under a live pool: nobody sees an error.
    #[value(name = "F28")]
    F28,
    /// Nothing wakes the workers when other processes enqueue jobs: polling finds them within its interval.
    #[value(name = "F29")]
    F29,
    /// The clock of one of three processes jumps: leases and due times do not, and schedules neither loop nor flood.
    #[value(name = "F30")]
    F30,
    /// The clock of a zone is turned under schedules: each tick that it shows is published once.
    #[value(name = "F31")]
    F31,
    /// The server comes back to many clients, workers and jobs: they come back without a rush, and the web is soon fast again.
    #[value(name = "F38")]
    F38,
    /// Several writers change the same rows: no change is lost.
    #[value(name = "F44")]
    F44,
}

impl Fault {
    /// Whether it starts servers for itself, instead of being played on every database that there is.
    fn has_own_servers(self) -> bool {
        match self {
            Self::F1
            | Self::F2
            | Self::F3
            | Self::F4
            | Self::F5
            | Self::F6
            | Self::F9
            | Self::F11
            | Self::F15
            | Self::F16
            | Self::F17
            | Self::F21
            | Self::F22
            | Self::F23
            | Self::F28
            | Self::F29
            | Self::F30
            | Self::F31
            | Self::F44 => false,
            Self::F12 | Self::F13 | Self::F14 | Self::F18 | Self::F19 | Self::F25 | Self::F26 | Self::F38 => {
                true
            }
        }
    }

    /// Whether it can happen on such a database. On one server `only`, what takes its time is left out on the others.
    fn happens_on(self, server: &Server, only: bool) -> bool {
        match self {
            Self::F3
            | Self::F5
            | Self::F6
            | Self::F9
            | Self::F11
            | Self::F16
            | Self::F17
            | Self::F29
            | Self::F30
            | Self::F31
                if only =>
            {
                matches!(server, Server::Postgres(_))
            }
            // Where it holds up the removal of dead rows.
            Self::F23 => matches!(server, Server::Postgres(_)),
            // No network, and one writer at a time on a file whose statements are prepared anew by themselves. A thread that is
            // blocked in the middle of a transaction keeps that file from everybody, heartbeats too.
            Self::F11 | Self::F15 | Self::F16 | Self::F17 | Self::F22 | Self::F28 => {
                *server != Server::Sqlite
            }
            _ => true,
        }
    }
}

/// Guards that can be left out: the fault that must notice, and the switch.
const SABOTAGES: &[(Fault, &str)] = &[
    (Fault::F1, "no-fencing"),
    (Fault::F1, "effect-apart"),
    (Fault::F2, "enqueue-outside-transaction"),
    (Fault::F3, "tick-apart"),
    (Fault::F4, "record-apart"),
    (Fault::F5, "no-fencing"),
    (Fault::F6, "no-release"),
    (Fault::F9, "crashes-not-counted"),
    (Fault::F11, "no-heartbeat"),
    (Fault::F12, "commit-not-awaited"),
    (Fault::F13, "log-written-later"),
    (Fault::F14, "no-request-deadline"),
    (Fault::F15, "new-keys"),
    (Fault::F16, "no-limits"),
    (Fault::F17, "no-statement-limit"),
    (Fault::F18, "plain-pool"),
    (Fault::F19, "name-stays"),
    (Fault::F21, "recycled-transaction"),
    (Fault::F22, "effect-outside"),
    (Fault::F23, "from-the-front"),
    (Fault::F25, "keep-what-fits"),
    (Fault::F26, "no-position"),
    (Fault::F28, "no-rerun"),
    (Fault::F29, "no-poll"),
    (Fault::F30, "no-tick-row"),
    (Fault::F31, "fixed-offset"),
    (Fault::F38, "plain-pool"),
    (Fault::F44, "no-version-check"),
];

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these faults, such as F1,F2
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fault>,
    /// Only on these databases, where a fault is played on all of them
    #[arg(long, value_enum, value_delimiter = ',')]
    on: Vec<Kind>,
    /// Repeats a run: chooses victims and moments (the machine still has its own timing)
    #[arg(long)]
    seed: Option<u64>,
    /// The short form that `cargo xtask ci` runs, sabotage included
    #[arg(long)]
    slice: bool,
    /// Leaves out a guard; the run should then be red: no-fencing or effect-apart for F1, enqueue-outside-transaction
    /// for F2, tick-apart for F3, record-apart for F4, no-fencing for F5, no-release for F6, crashes-not-counted for
    /// F9, no-heartbeat for F11, commit-not-awaited for F12, log-written-later for F13, no-request-deadline for F14,
    /// new-keys for F15, no-limits for F16, no-statement-limit for F17, plain-pool for F18, name-stays for F19,
    /// recycled-transaction for F21, effect-outside for F22, from-the-front for F23, keep-what-fits for F25, no-position for F26, no-rerun for
    /// F28, no-poll for F29, no-tick-row for F30, fixed-offset for F31, plain-pool for F38, no-version-check for F44
    #[arg(long)]
    sabotage: Option<String>,
}

/// Runs the faults on every database there is; fails when one is red.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    run_built(workspace, options, BuiltBy::Chaos)
}

/// The short form of all faults, after `cargo xtask test`.
pub(crate) fn run_slice(workspace: &Workspace) -> Outcome<()> {
    let options = Options { only: Vec::new(), on: Vec::new(), seed: None, slice: true, sabotage: None };
    run_built(workspace, &options, BuiltBy::Tests)
}

fn run_built(workspace: &Workspace, options: &Options, built_by: BuiltBy) -> Outcome<()> {
    let chosen = |fault: &Fault| options.only.is_empty() || options.only.contains(fault);
    let faults: Vec<Fault> = Fault::value_variants().iter().copied().filter(chosen).collect();
    let sabotage = options.sabotage.as_deref().map(|name| sabotage_of(name, &faults)).transpose()?;
    let faults = faults.into_iter().filter(|fault| sabotage.is_none_or(|(of, _)| of == *fault));
    let faults = faults.filter(|fault| can_be_played(*fault));
    let (own, everywhere): (Vec<Fault>, Vec<Fault>) = faults.partition(|fault| fault.has_own_servers());
    if own.is_empty() && everywhere.is_empty() {
        return Ok(());
    }
    let grounds = if everywhere.is_empty() {
        None
    } else {
        Some(Grounds::find_or_start(&options.on, Commits::Volatile)?)
    };
    let servers = grounds.as_ref().map(Grounds::servers).unwrap_or_default();
    let with_servers = !own.is_empty() || servers.iter().any(|server| *server != Server::Sqlite);
    let programs = Programs::build(workspace, with_servers, built_by)?;
    let seed = options.seed.unwrap_or_else(any_seed);
    let stage = Stage { programs: &programs, slice: options.slice, seed };
    // Who names databases wants them all.
    let only = options.slice && options.on.is_empty();
    let on_every_server =
        servers.iter().flat_map(|server| everywhere.iter().map(move |f| (*f, Some(server))));
    let on_every_server =
        on_every_server.filter(|(fault, server)| server.is_none_or(|server| fault.happens_on(server, only)));
    let (mut red, mut proven) = (Vec::new(), Vec::new());
    for (fault, server) in on_every_server.chain(own.iter().map(|fault| (*fault, None))) {
        let on = server.map(|server| format!(" on {}", server.name())).unwrap_or_default();
        let name = format!("{}{on}", name_of(fault));
        if !stage.run(fault, server, sabotage.map(|(_, name)| name))?.is_green() {
            red.push(name.clone());
        }
        // A sabotage proves what there is to prove on one database.
        if options.slice && sabotage.is_none() && !proven.contains(&fault) {
            proven.push(fault);
            red.extend(stage.blind(fault, server, &name)?);
        }
    }
    if red.is_empty() { Ok(()) } else { Err(Failure::new(format!("red: {}; seed {seed}", red.join(", ")))) }
}

/// Says why when it cannot.
fn can_be_played(fault: Fault) -> bool {
    let obstacle = if fault == Fault::F25 { full_disk::obstacle() } else { None };
    if let Some(obstacle) = &obstacle {
        println!("{} is not played on this machine: {obstacle}", name_of(fault));
    }
    obstacle.is_none()
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
            Fault::F3 => {
                let plan = if self.slice { killed_schedulers::SLICE } else { killed_schedulers::FULL };
                killed_schedulers::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F4 => {
                let plan = if self.slice { migrations::SLICE } else { migrations::FULL };
                migrations::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F5 => {
                let plan = if self.slice { stopped_workers::SLICE } else { stopped_workers::FULL };
                stopped_workers::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F6 => {
                let plan = if self.slice { drained_workers::SLICE } else { drained_workers::FULL };
                drained_workers::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F9 => {
                let plan = if self.slice { poison::SLICE } else { poison::FULL };
                poison::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F11 => {
                let plan = if self.slice { blocked_workers::SLICE } else { blocked_workers::FULL };
                blocked_workers::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F12 => self.kill_server(killed_server::POSTGRES, sabotage),
            Fault::F13 => self.kill_server(killed_server::MARIADB, sabotage),
            Fault::F14 => {
                let plan = if self.slice { hung_server::SLICE } else { hung_server::FULL };
                hung_server::run(self.programs, plan, self.seed, sabotage)
            }
            Fault::F15 => {
                let plan = if self.slice { cut_commits::SLICE } else { cut_commits::FULL };
                cut_commits::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F16 => {
                let plan = if self.slice { dark_network::SLICE } else { dark_network::FULL };
                dark_network::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F17 => {
                let plan = if self.slice { bad_weather::SLICE } else { bad_weather::FULL };
                bad_weather::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F18 => {
                let plan = if self.slice { full_server::SLICE } else { full_server::FULL };
                full_server::run(self.programs, plan, sabotage)
            }
            Fault::F19 => {
                let plan = if self.slice { promoted_standby::SLICE } else { promoted_standby::FULL };
                promoted_standby::run(self.programs, plan, self.seed, sabotage)
            }
            Fault::F21 => self.play(server, played::F21, sabotage),
            Fault::F22 => self.play(server, played::F22, sabotage),
            Fault::F23 => self.play(server, played::F23, sabotage),
            Fault::F25 => {
                let plan = if self.slice { full_disk::SLICE } else { full_disk::FULL };
                full_disk::run(self.programs, plan, self.seed, sabotage)
            }
            Fault::F26 => {
                let plan = if self.slice { stale_reads::SLICE } else { stale_reads::FULL };
                stale_reads::run(self.programs, plan, self.seed, sabotage)
            }
            Fault::F28 => self.play(server, played::F28, sabotage),
            Fault::F29 => {
                let plan = if self.slice { no_wakeup::SLICE } else { no_wakeup::FULL };
                no_wakeup::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F30 => {
                let plan = if self.slice { wrong_clocks::SLICE } else { wrong_clocks::FULL };
                wrong_clocks::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F31 => {
                let plan = if self.slice { turned_clocks::SLICE } else { turned_clocks::FULL };
                turned_clocks::run(self.programs, server, plan, self.seed, sabotage)
            }
            Fault::F38 => {
                let plan = if self.slice { returned_server::SLICE } else { returned_server::FULL };
                returned_server::run(self.programs, plan, self.seed, sabotage)
            }
            Fault::F44 => self.play(server, played::F44, sabotage),
        }
    }

    fn play(&self, server: &Server, plan: played::Plan, sabotage: Option<&str>) -> Outcome<Verdict> {
        let plan = if self.slice { plan.slice() } else { plan };
        played::run(self.programs, server, plan, self.seed, sabotage)
    }

    fn kill_server(&self, plan: killed_server::Plan, sabotage: Option<&'static str>) -> Outcome<Verdict> {
        let plan = if self.slice { plan.slice() } else { plan };
        killed_server::run(self.programs, plan, self.seed, sabotage)
    }

    /// Runs each sabotage of a fault; names those that went unnoticed.
    fn blind(&self, fault: Fault, server: Option<&Server>, name: &str) -> Outcome<Vec<String>> {
        let mut blind = Vec::new();
        for (_, sabotage) in SABOTAGES.iter().copied().filter(|(of, _)| *of == fault) {
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
    let known = SABOTAGES.iter().copied().filter(|(fault, _)| faults.contains(fault));
    known.clone().find(|(_, known)| *known == name).ok_or_else(|| {
        let names: Vec<&str> = known.map(|(_, name)| name).collect();
        Failure::new(format!("no sabotage {name:?}; there are: {}", names.join(", ")))
    })
}

fn name_of(fault: Fault) -> String {
    fault.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
