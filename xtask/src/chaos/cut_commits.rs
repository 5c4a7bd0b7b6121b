//! F15: the answer to a commit is cut off, so that nobody knows whether it took place: the client tries again under the
//! same key, and everything is there once.

use std::fmt;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::Outcome;

use super::dice::Dice;
use super::patience::{pause, until};
use super::programs::Programs;
use super::proxy::Proxy;
use super::verdict::{Figures, Verdict, some};
use super::web::{Answers, Clients, Invoices, Scene, Setting};

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) cuts: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { cuts: 1_000 };
/// For every change.
pub(super) const SLICE: Plan = Plan { cuts: 50 };

const CLIENTS: usize = 4;
const CUT_WITHIN: Duration = Duration::from_mins(1);
/// Between two cuts some commits go through, or nothing would ever be carried out.
const BETWEEN_CUTS: Duration = Duration::from_millis(8);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
    let setting = Setting::new("F15", programs, server, seed);
    let mut scene = Scene::set(Setting { by_port: Some(proxy.port()), ..setting })?;
    let cut = format!("cut-commits {} 1", server.name());
    let played = play(&mut scene, &proxy, &cut, plan, seed, sabotage.is_some());
    scene.end_with(played, sabotage)
}

fn play(
    scene: &mut Scene,
    proxy: &Proxy,
    cut: &str,
    plan: Plan,
    seed: u64,
    new_keys: bool,
) -> Outcome<Findings> {
    let started = Instant::now();
    let mut clients = Clients::sign_in(scene.server, None)?;
    if new_keys {
        clients = clients.with_new_keys();
    }
    let mut dice = Dice::new(seed);
    clients.at_work(CLIENTS, || {
        for number in 0..plan.cuts {
            pause(dice.time_below(BETWEEN_CUTS));
            proxy.tell(cut)?;
            until(CUT_WITHIN, &format!("commit {number} to be cut"), || {
                scene.must_run()?;
                clients.progress()?;
                Ok((proxy.ask("cuts-left")? == 0 || clients.gave_up()).then_some(()))
            })?;
        }
        clients.finish();
        Ok(())
    })?;
    Ok(Findings {
        plan,
        answers: clients.answers(),
        invoices: Invoices::gather(&clients, scene)?,
        seed,
        seconds: started.elapsed().as_secs_f32(),
    })
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    answers: Answers,
    invoices: Invoices,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.invoices.judge(&mut verdict);
        let strange = self.answers.failures_other_than(503, &["server/unavailable"]);
        verdict.promise(strange.is_empty(), || {
            format!("failures that do not tell a client what to do: {}", some(&strange))
        });
        let unanswered = self.answers.unanswered;
        verdict.promise(unanswered == 0, || format!("{unanswered} requests without an answer"));
        let failed = self.answers.failed();
        verdict.expect(failed * 2 >= self.plan.cuts, || format!("only {failed} requests noticed anything"));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} answers to a commit cut off, {} requests tried again, {}, seed {}, {:.0} s: {}",
            self.plan.cuts,
            self.answers.failed(),
            self.invoices,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
