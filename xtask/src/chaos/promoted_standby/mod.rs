//! F19: the primary is one no more and a replica is promoted, while the name of the database still points to a server
//! that only reads: writes fail for a moment, and go on by themselves.

mod servers;

use std::fmt;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::test::servers::Engine;

use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::proxy::Proxy;
use super::times::Times;
use super::verdict::{Figures, Verdict, some};
use super::web::{Clients, Invoices, Scene, Setting};
use servers::Servers;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often, each time with servers of its own.
    pub(super) promotions: usize,
}

/// Enough to see that it is no luck; each takes new servers.
pub(super) const FULL: Plan = Plan { promotions: 10 };
/// For every change.
pub(super) const SLICE: Plan = Plan { promotions: 1 };

const CLIENTS: usize = 4;
const ISSUES: usize = 12;
const PROGRESS_WITHIN: Duration = Duration::from_mins(1);
/// How long the name points to a server that only reads.
const READ_ONLY_FOR: Duration = Duration::from_secs(1);
/// The promise: for so long at most, writes fail after the name has moved.
const WRITES_WITHIN: Duration = Duration::from_secs(5);

/// Runs the plan on PostgreSQL and on MariaDB; what it found on the first of them that decides.
pub(super) fn run(programs: &Programs, plan: Plan, seed: u64, sabotage: Option<&str>) -> Outcome<Verdict> {
    let engines = [Engine::Postgres, Engine::MariaDb].into_iter();
    let runs = engines.map(|engine| run_on(engine, programs, plan, seed, sabotage));
    Verdict::of_runs(sabotage.is_some(), runs)
}

fn run_on(
    engine: Engine,
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let mut findings = Findings { seed, ..Findings::default() };
    let started = Instant::now();
    for _ in 0..plan.promotions {
        promote_once(engine, programs, seed, sabotage.is_some(), &mut findings)?;
    }
    findings.seconds = started.elapsed().as_secs_f32();
    Ok(findings.report("F19", engine.name(), sabotage))
}

fn promote_once(
    engine: Engine,
    programs: &Programs,
    seed: u64,
    name_stays: bool,
    findings: &mut Findings,
) -> Outcome<()> {
    let servers = Servers::start(engine)?;
    let server = servers.for_app();
    let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
    let setting = Setting::new("F19", programs, &server, seed);
    let mut scene = Scene::set(Setting { by_port: Some(proxy.port()), ..setting })?;
    let clients = Clients::sign_in(scene.server, None)?;
    let moved = clients.at_work(CLIENTS, || {
        let moved = fail_over(&mut scene, &clients, &proxy, &servers, name_stays);
        clients.finish();
        if name_stays {
            clients.stop();
        }
        moved
    });
    let failed = |failure| Failure::new(format!("F19 on {}: {failure}; seed {seed}", server.name()));
    let Moved { first_write, late_failures } = moved.map_err(failed)?;
    findings.promotions += 1;
    findings.put_off += clients.answers().failed();
    findings.strange.extend(clients.answers().failures_other_than(503, &["server/unavailable"]));
    findings.late_failures += late_failures;
    match first_write {
        Some(first_write) => {
            findings.first_writes.push(first_write);
            let invoices = Invoices::gather(&clients, &mut scene)?;
            invoices.judge(&mut findings.invoices);
            findings.issued += clients.issued().len();
        }
        None => findings.without_writes += 1,
    }
    if !name_stays && !findings.verdict().is_green() {
        return scene.clear(false);
    }
    scene.leave();
    Ok(())
}

/// What was seen after the name had moved.
struct Moved {
    /// When the first write was carried out.
    first_write: Option<Duration>,
    /// How many requests failed after the time that is promised.
    late_failures: usize,
}

fn fail_over(
    scene: &mut Scene,
    clients: &Clients,
    proxy: &Proxy,
    servers: &Servers,
    name_stays: bool,
) -> Outcome<Moved> {
    let issue = |scene: &mut Scene, count: usize| {
        let moment = clients.progress()? + count;
        until(PROGRESS_WITHIN, "invoices to be issued", || {
            scene.must_run()?;
            Ok((clients.progress()? >= moment || clients.gave_up()).then_some(()))
        })
    };
    issue(scene, ISSUES)?;
    proxy.tell(&format!("move {}", servers.demote()?))?;
    let next = servers.promote()?;
    pause(READ_ONLY_FOR);
    if !name_stays {
        proxy.tell(&format!("move {next}"))?;
    }
    let moved = Instant::now();
    // A replica answers what only reads, so that only an issued invoice tells of a write.
    let issued = clients.progress()?;
    let written = until_or_not(WRITES_WITHIN, || {
        scene.must_run()?;
        Ok((clients.progress()? > issued).then_some(()))
    })?;
    let first_write = written.map(|()| moved.elapsed());
    if first_write.is_none() {
        return Ok(Moved { first_write, late_failures: 0 });
    }
    pause(WRITES_WITHIN.saturating_sub(moved.elapsed()).min(Duration::from_secs(1)));
    let failed = clients.answers().failed();
    issue(scene, ISSUES)?;
    Ok(Moved { first_write, late_failures: clients.answers().failed() - failed })
}

/// The figures of a run.
#[derive(Debug, Default)]
struct Findings {
    promotions: usize,
    /// From the moment when the name pointed to the new primary until an invoice was issued.
    first_writes: Times,
    without_writes: usize,
    put_off: usize,
    late_failures: usize,
    strange: Vec<String>,
    issued: usize,
    invoices: Verdict,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = self.invoices.clone();
        verdict.promise(self.without_writes == 0, || {
            format!("no write {} s after the name had moved", WRITES_WITHIN.as_secs())
        });
        let late = self.late_failures;
        verdict.promise(late == 0, || format!("{late} failures after writes had gone on"));
        verdict.promise(self.strange.is_empty(), || {
            format!("failures that do not tell a client what to do: {}", some(&self.strange))
        });
        verdict.expect(self.put_off >= self.promotions, || "no request noticed anything".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} promotions, first write {} after the name had moved, at most {} s are promised, {} requests put off, {} \
             invoices issued, the web process never started again, seed {}, {:.0} s: {}",
            self.promotions,
            self.first_writes,
            WRITES_WITHIN.as_secs(),
            self.put_off,
            self.issued,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
