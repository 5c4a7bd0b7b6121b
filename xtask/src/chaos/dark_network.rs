//! F16: the network delivers nothing and says nothing: the places of a pool come free by our limits, not by those of TCP.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::database::{self, Server};
use crate::failure::Outcome;

use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::proxy::Proxy;
use super::times::Times;
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often the network goes dark.
    pub(super) nights: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { nights: 10 };
/// For every change.
pub(super) const SLICE: Plan = Plan { nights: 2 };

const CONNECTIONS: usize = 4;
/// How long the program waits for an answer.
const LIMIT: Duration = Duration::from_millis(500);
/// How long it waits with the guard left out.
const NO_LIMIT: Duration = Duration::from_hours(1);
const NIGHT: Duration = Duration::from_secs(2);
/// The promise: the whole pool is there again this soon after the network is.
const WHOLE_WITHIN: Duration = Duration::from_secs(10);
const STARTS_WITHIN: Duration = Duration::from_secs(15);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
    let database = format!("dolmen_chaos_dark_{}_{seed}", std::process::id());
    let url = server.new_database(folder.path(), &database)?;
    let played = Proxy::start(&programs.proxy, &server.address()?).and_then(|proxy| {
        let url = database::at_port(&url, proxy.port())?;
        play(programs, &proxy, &url, folder.path(), plan, sabotage.is_some())
    });
    server.drop_database(&database)?;
    let findings = played?;
    Ok(findings.report("F16", server.name(), sabotage))
}

fn play(
    programs: &Programs,
    proxy: &Proxy,
    url: &str,
    folder: &Path,
    plan: Plan,
    no_limits: bool,
) -> Outcome<Findings> {
    let limit = if no_limits { NO_LIMIT } else { LIMIT };
    let log = folder.join("borrow.log");
    let mut command = Command::new(&programs.chaos);
    let (connections, limit) = (CONNECTIONS.to_string(), limit.as_millis().to_string());
    command.args([url, "borrow", &connections, &limit]);
    let mut borrower = Victim::start(command, &log)?;
    let looks = |found: &str| -> Outcome<usize> {
        Ok(std::fs::read_to_string(&log)?.lines().filter(|line| *line == found).count())
    };
    let mut findings = Findings { plan, healed: Times::default(), still_short: 0 };
    for _ in 0..plan.nights {
        // Twice, so that one look began after the night before.
        let seen = looks("whole")?;
        until(STARTS_WITHIN, "the pool to be whole", || {
            borrower.must_run()?;
            Ok((looks("whole")? > seen + 1).then_some(()))
        })?;
        proxy.tell("dark")?;
        pause(NIGHT);
        proxy.tell("clear")?;
        let (clear, seen) = (Instant::now(), looks("whole")?);
        let whole = until_or_not(WHOLE_WITHIN, || {
            borrower.must_run()?;
            Ok((looks("whole")? > seen).then_some(()))
        })?;
        if whole.is_none() {
            findings.still_short += 1;
            break;
        }
        findings.healed.push(clear.elapsed());
    }
    Ok(findings)
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    /// From the moment when the network was clear until the whole pool could be had.
    healed: Times,
    /// How often it could not be had in time.
    still_short: usize,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.promise(self.still_short == 0, || {
            format!("the pool was not whole {} s after the network", WHOLE_WITHIN.as_secs())
        });
        let nights = self.healed.len() + self.still_short;
        verdict
            .expect(nights == self.plan.nights || self.still_short > 0, || format!("only {nights} nights"));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} dark nights, all {CONNECTIONS} connections to be had {} after the network was clear, at most {} s are \
             promised: {}",
            self.healed.len() + self.still_short,
            self.healed,
            WHOLE_WITHIN.as_secs(),
            self.verdict()
        )
    }
}
