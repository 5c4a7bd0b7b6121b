//! F2: the web process is killed while clients issue invoices: no invoice without its event, no gap in the numbers.

mod clients;
mod findings;
mod http;
mod scene;

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

use super::database::Server;
use super::dice::Dice;
use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::verdict::Verdict;

use self::clients::Clients;
use self::findings::{Findings, events};
use self::scene::Scene;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) issues: usize,
    pub(super) kills: usize,
}

/// The issue's numbers.
pub(super) const FULL: Plan = Plan { issues: 500, kills: 50 };
/// For every change.
pub(super) const SLICE: Plan = Plan { issues: 120, kills: 12 };

const CLIENTS: usize = 4;
const PROGRESS_WITHIN: Duration = Duration::from_mins(1);
const ISSUING_WITHIN: Duration = Duration::from_secs(2);
/// The request that is killed may be at any point of its few milliseconds.
const LATEST: Duration = Duration::from_millis(12);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let mut scene = Scene::set(programs, server, sabotage, seed)?;
    let findings = match play(&mut scene, plan, seed) {
        Ok(findings) => findings,
        Err(failure) => {
            scene.clear(false)?;
            return Err(Failure::new(format!("F2 on {}: {failure}; seed {seed}", server.name())));
        }
    };
    let verdict = findings.verdict();
    println!("F2 on {}{}: {findings}", server.name(), sabotage.map(|s| format!(", {s}")).unwrap_or_default());
    scene.clear(verdict.is_green() || sabotage.is_some())?;
    Ok(verdict)
}

fn play(scene: &mut Scene, plan: Plan, seed: u64) -> Outcome<Findings> {
    let started = Instant::now();
    let clients = Clients::sign_in(scene.server, plan.issues)?;
    let kills_mid_issue = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| clients.work());
        }
        let kills = kill_again_and_again(scene, &clients, plan, seed);
        if kills.is_err() {
            clients.stop();
        }
        kills
    })?;
    let answered = clients.issued()?;
    let stored = clients.list()?;
    scene.end()?;
    Ok(Findings {
        plan,
        kills: plan.kills,
        kills_mid_issue,
        seed,
        seconds: started.elapsed().as_secs_f32(),
        answered,
        stored,
        events: events(&scene.payloads()?)?,
    })
}

/// Returns how many of the kills came while an invoice was being issued.
fn kill_again_and_again(scene: &mut Scene, clients: &Clients, plan: Plan, seed: u64) -> Outcome<usize> {
    let mut dice = Dice::new(seed);
    let share = plan.issues / plan.kills;
    let mut mid_issue = 0;
    for index in 0..plan.kills {
        let moment = index * share + dice.below(share);
        until(PROGRESS_WITHIN, &format!("{moment} invoices to be issued"), || {
            scene.must_run()?;
            Ok((clients.issued()?.len() >= moment).then_some(()))
        })?;
        let issuing = || clients.issuing.load(Ordering::SeqCst) > 0;
        until_or_not(ISSUING_WITHIN, || Ok(issuing().then_some(())))?;
        pause(dice.time_below(LATEST));
        mid_issue += usize::from(issuing());
        scene.kill()?;
    }
    Ok(mid_issue)
}
