//! F14: the database server stands still, with all its connections open: requests fail at their deadline, the web process
//! says that it is not ready and lives, and goes on as soon as the server does.

mod findings;

use std::thread;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::test::servers::{Engine, OwnServer};

use super::patience::{pause, until};
use super::programs::Programs;
use super::times::Times;
use super::verdict::Verdict;
use super::web::{Clients, Invoices, Scene, Setting};

use self::findings::Findings;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often the server is stopped.
    pub(super) stops: usize,
    /// For how long.
    pub(super) hang: Duration,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { stops: 3, hang: Duration::from_secs(30) };
/// For every change.
pub(super) const SLICE: Plan = Plan { stops: 1, hang: Duration::from_secs(4) };

/// Short, so that it ends while the server stands still.
const DEADLINE: Duration = Duration::from_secs(2);
const CLIENTS: usize = 4;
const ISSUES_BEFORE: usize = 8;
const PROGRESS_WITHIN: Duration = Duration::from_mins(1);
/// An answer of `/readyz` takes at most two seconds, and should come while the server stands still.
const READY_WITHIN: Duration = Duration::from_millis(2_500);
const BETWEEN_PROBES: Duration = Duration::from_millis(50);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let own = OwnServer::start(Engine::Postgres, &["synchronous_commit=on"])?;
    let server = Server::of(&own);
    let deadline = if sabotage.is_some() { Duration::from_hours(1) } else { DEADLINE };
    let mut scene = Scene::set(Setting {
        variables: vec![("APP_HTTP_REQUEST_DEADLINE", format!("{}ms", deadline.as_millis()))],
        // Longer than any answer may take, so that a late one is measured.
        patience: plan.hang + DEADLINE * 2,
        ..Setting::new("F14", programs, &server, seed)
    })?;
    let played = play(&mut scene, &own, plan, seed);
    scene.end_with(played, sabotage)
}

/// What the probes answered while the server stood still: statuses, `None` for no answer.
#[derive(Debug, Default)]
struct Probes {
    live: Vec<Option<u16>>,
    ready: Vec<Option<u16>>,
    slowest_live: Duration,
    /// From the moment when the server went on until a request was carried out, and until the process said that it is
    /// ready.
    recoveries: Times,
    ready_again: Times,
}

fn play(scene: &mut Scene, own: &OwnServer, plan: Plan, seed: u64) -> Outcome<Findings> {
    let started = Instant::now();
    let clients = Clients::sign_in(scene.server, None)?;
    let probes = clients.at_work(CLIENTS, || {
        let done = stop_again_and_again(scene, own, &clients, plan);
        clients.finish();
        done
    })?;
    Ok(Findings {
        plan,
        probes,
        answers: clients.answers(),
        invoices: Invoices::gather(&clients, scene)?,
        seed,
        seconds: started.elapsed().as_secs_f32(),
    })
}

fn stop_again_and_again(
    scene: &mut Scene,
    own: &OwnServer,
    clients: &Clients,
    plan: Plan,
) -> Outcome<Probes> {
    let mut probes = Probes::default();
    for _ in 0..plan.stops {
        let moment = clients.progress()? + ISSUES_BEFORE;
        until(
            PROGRESS_WITHIN,
            "invoices to be issued",
            || Ok((clients.progress()? >= moment).then_some(())),
        )?;
        own.stop()?;
        let begun = Instant::now();
        let management = scene.management;
        // An answer of /readyz takes its time; /livez is asked meanwhile.
        probes.ready.extend(thread::scope(|scope| {
            let ready = scope.spawn(move || {
                let mut answers = Vec::new();
                while begun.elapsed() < plan.hang.saturating_sub(READY_WITHIN) {
                    answers.push(management.probe("/readyz"));
                    pause(BETWEEN_PROBES);
                }
                answers
            });
            while begun.elapsed() < plan.hang {
                scene.must_run()?;
                let asked = Instant::now();
                probes.live.push(management.probe("/livez"));
                probes.slowest_live = probes.slowest_live.max(asked.elapsed());
                pause(BETWEEN_PROBES);
            }
            ready.join().map_err(|_| Failure::new("the probes of /readyz ended early"))
        })?);
        own.go_on()?;
        let went_on = Instant::now();
        until(PROGRESS_WITHIN, "the process to be ready", || {
            Ok((scene.management.probe("/readyz") == Some(200)).then_some(()))
        })?;
        probes.ready_again.push(went_on.elapsed());
        let first = until(PROGRESS_WITHIN, "a request to be carried out again", || {
            scene.must_run()?;
            clients.progress()?;
            Ok(clients.success_after(went_on))
        })?;
        probes.recoveries.push(first - went_on);
    }
    Ok(probes)
}
