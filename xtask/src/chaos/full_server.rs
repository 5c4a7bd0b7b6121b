//! F18: the database server has no connection left: who starts waits for it instead of ending, who runs goes on with what
//! it has, and both ask again about once in a while.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::database::{self, Server};
use crate::failure::{Outcome, While as _};
use crate::test::servers::{Engine, OwnServer};

use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::proxy::Proxy;
use super::times::Times;
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How long the server stays full, at the start of the program and again while it runs.
    full_for: Duration,
}

/// Long enough to see a rate, and shorter than the minute that a program waits at its start.
pub(super) const FULL: Plan = Plan { full_for: Duration::from_secs(45) };
/// For every change.
pub(super) const SLICE: Plan = Plan { full_for: Duration::from_secs(3) };

/// How many connections the server has, and how many of them the program wants.
const ROOM: usize = 12;
const WANTED: usize = 4;
/// How long the program waits for a connection.
const LIMIT_MS: &str = "1000";
/// The promise, in attempts a second; at first sqlx makes a few within 60 ms, before anybody knows.
const RATE: f64 = 1.0;
const AT_FIRST: f64 = 3.0;
const FULL_WITHIN: Duration = Duration::from_secs(20);
const WHOLE_WITHIN: Duration = Duration::from_secs(10);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(programs: &Programs, plan: Plan, sabotage: Option<&str>) -> Outcome<Verdict> {
    let room = format!("max_connections={ROOM}");
    let own = OwnServer::start(Engine::Postgres, &[&room, "superuser_reserved_connections=0"])?;
    let server = Server::of(&own);
    let findings = play(programs, &server, plan, sabotage.is_some())?;
    Ok(findings.report("F18", "postgres", sabotage))
}

fn play(programs: &Programs, server: &Server, plan: Plan, without_gate: bool) -> Outcome<Findings> {
    let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
    let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
    let url = database::at_port(server.url(), proxy.port())?;
    let mut command = Command::new(&programs.chaos);
    command.args([&url, "borrow", &WANTED.to_string(), LIMIT_MS]);
    if without_gate {
        command.arg("--plain");
    }
    let mut findings = Findings { plan: Some(plan), ..Findings::default() };

    let crowd = Crowd::fill(server)?;
    let before = proxy.ask("attempts")?;
    let mut borrower = Borrower::start(command, folder.path())?;
    borrower.runs_for(plan.full_for, &mut findings)?;
    findings.attempts_at_start = proxy.ask("attempts")? - before;
    drop(crowd);
    if findings.ended || findings.are_too_many(findings.attempts_at_start) {
        return Ok(findings);
    }
    borrower.until_whole(&mut findings)?;

    // It stands still while its connections are cut and others take their places.
    borrower.process.stop()?;
    proxy.tell("reset")?;
    let crowd = Crowd::fill(server)?;
    let before = proxy.ask("attempts")?;
    borrower.process.go_on()?;
    borrower.runs_for(plan.full_for, &mut findings)?;
    findings.attempts_later = proxy.ask("attempts")? - before;
    drop(crowd);
    borrower.until_whole(&mut findings)?;

    findings.says_why = borrower.log()?.contains("the server has no connection left");
    Ok(findings)
}

/// Clients that hold all connections of the server; dropping them ends them.
struct Crowd(Vec<Child>);

impl Crowd {
    fn fill(server: &Server) -> Outcome<Self> {
        let mut crowd = Self(Vec::new());
        let mut refused = 0;
        until(FULL_WITHIN, "the server to be full", || {
            if server.tell("select 1").is_ok() {
                refused = 0;
                let mut client = Command::new("psql");
                // It waits for what it is told, which never comes.
                client.args(["--quiet", "--no-psqlrc", server.url()]).stdin(Stdio::piped());
                client.stdout(Stdio::null()).stderr(Stdio::null());
                crowd.0.push(client.spawn().while_doing("start psql")?);
                return Ok(None);
            }
            // Twice, since a connection that was just closed may still have its place.
            refused += 1;
            pause(Duration::from_millis(50));
            Ok((refused > 1).then_some(()))
        })?;
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for client in &mut self.0 {
            // Both fail when it was refused and has ended, which is what we want.
            drop(client.kill());
            drop(client.wait());
        }
    }
}

/// The program that wants connections.
struct Borrower {
    process: Victim,
    log: PathBuf,
}

impl Borrower {
    fn start(command: Command, folder: &Path) -> Outcome<Self> {
        let log = folder.join("borrow.log");
        Ok(Self { process: Victim::start(command, &log)?, log })
    }

    fn log(&self) -> Outcome<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Lets it run; notes when it ends by itself.
    fn runs_for(&mut self, time: Duration, findings: &mut Findings) -> Outcome<()> {
        let ended = until_or_not(time, || Ok(self.process.must_run().is_err().then_some(())))?;
        findings.ended |= ended.is_some();
        Ok(())
    }

    /// Waits until it has all connections that it wants.
    fn until_whole(&mut self, findings: &mut Findings) -> Outcome<()> {
        let looks = |log: &str| log.lines().filter(|line| *line == "whole").count();
        let (begun, before) = (std::time::Instant::now(), looks(&self.log()?));
        let whole = until_or_not(WHOLE_WITHIN, || Ok((looks(&self.log()?) > before).then_some(())))?;
        match whole {
            Some(()) => findings.recoveries.push(begun.elapsed()),
            None => findings.still_short += 1,
        }
        Ok(())
    }
}

/// The figures of a run.
#[derive(Debug, Default)]
struct Findings {
    plan: Option<Plan>,
    attempts_at_start: usize,
    attempts_later: usize,
    /// The program ended by itself.
    ended: bool,
    /// From the moment when the server had room until the program had all connections that it wants.
    recoveries: Times,
    still_short: usize,
    says_why: bool,
}

impl Findings {
    fn seconds(&self) -> f64 {
        self.plan.map_or(0.0, |plan| plan.full_for.as_secs_f64())
    }

    fn allowed(&self) -> f64 {
        self.seconds() * RATE + AT_FIRST
    }

    fn are_too_many(&self, attempts: usize) -> bool {
        f64::from(u32::try_from(attempts).unwrap_or(u32::MAX)) > self.allowed()
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for (when, attempts) in [("at the start", self.attempts_at_start), ("later", self.attempts_later)] {
            verdict.promise(!self.are_too_many(attempts), || {
                format!("{attempts} attempts to connect {when}, where {:.0} are allowed", self.allowed())
            });
            verdict.expect(attempts > 0, || format!("nobody tried to connect {when}"));
        }
        verdict.promise(!self.ended, || "the program ended by itself".to_owned());
        verdict.promise(self.still_short == 0, || {
            format!("not all connections {} s after the server had room", WHOLE_WITHIN.as_secs())
        });
        verdict.promise(self.says_why, || "no error says what is wrong with the server".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "twice full for {:.0} s, {} attempts to connect at the start and {} later, the program ran on, all \
             {WANTED} connections {} after the server had room: {}",
            self.seconds(),
            self.attempts_at_start,
            self.attempts_later,
            self.recoveries,
            self.verdict()
        )
    }
}
