//! F2: the web process is killed while clients issue invoices: no invoice without its event, no gap in the numbers.

mod findings;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::Outcome;

use super::dice::Dice;
use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::verdict::Verdict;
use super::web::{Clients, Invoices, Scene, Setting};

use self::findings::Findings;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) issues: usize,
    pub(super) kills: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { issues: 10_000, kills: 1_000 };
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
    let mut scene = Scene::set(Setting { sabotage, ..Setting::new("F2", programs, server, seed) })?;
    let played = play(&mut scene, plan, seed);
    scene.end_with(played, sabotage)
}

fn play(scene: &mut Scene, plan: Plan, seed: u64) -> Outcome<Findings> {
    let started = Instant::now();
    let clients = Clients::sign_in(scene.server, Some(plan.issues))?;
    let kills_mid_issue = clients.at_work(CLIENTS, || kill_again_and_again(scene, &clients, plan, seed))?;
    Ok(Findings {
        kills: plan.kills,
        kills_mid_issue,
        invoices: Invoices::gather(&clients, scene)?,
        seed,
        seconds: started.elapsed().as_secs_f32(),
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
            Ok((clients.progress()? >= moment || clients.gave_up()).then_some(()))
        })?;
        let issuing = || clients.issuing.load(Ordering::SeqCst) > 0;
        until_or_not(ISSUING_WITHIN, || Ok(issuing().then_some(())))?;
        pause(dice.time_below(LATEST));
        mid_issue += usize::from(issuing());
        scene.kill()?;
    }
    Ok(mid_issue)
}
