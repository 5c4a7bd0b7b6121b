//! F12 and F13: the database server is killed while invoices are issued: what was acknowledged is there, and the web
//! process, which nobody starts again, goes on as soon as the server does.

mod findings;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::Outcome;
use crate::test::servers::{Engine, OwnServer};

use super::dice::Dice;
use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::times::Times;
use super::verdict::Verdict;
use super::web::{Clients, Invoices, Scene, Setting};

use self::findings::Findings;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) fault: &'static str,
    pub(super) engine: Engine,
    pub(super) kills: usize,
}

/// What the fault promises in full.
pub(super) const POSTGRES: Plan = Plan { fault: "F12", engine: Engine::Postgres, kills: 100 };
pub(super) const MARIADB: Plan = Plan { fault: "F13", engine: Engine::MariaDb, kills: 50 };

impl Plan {
    /// For every change.
    pub(super) fn slice(self) -> Self {
        Self { kills: self.kills.div_ceil(20), ..self }
    }

    /// A server that says "committed" once the commit would survive its death, or, sabotaged, before that.
    fn settings(self, sabotaged: bool) -> &'static [&'static str] {
        match (self.engine, sabotaged) {
            (Engine::Postgres, false) => &["synchronous_commit=on", "fsync=on", "full_page_writes=on"],
            (Engine::Postgres, true) => &["synchronous_commit=off", "wal_writer_delay=10s"],
            (Engine::MariaDb, false) => &["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"],
            (Engine::MariaDb, true) => {
                &["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-log-at-timeout=1000"]
            }
        }
    }
}

const CLIENTS: usize = 4;
/// So many invoices are issued between two kills, or fewer.
const ISSUES_BETWEEN: usize = 12;
const PROGRESS_WITHIN: Duration = Duration::from_mins(1);
const ISSUING_WITHIN: Duration = Duration::from_secs(2);
/// The request that is hit may be at any point of its few milliseconds.
const LATEST: Duration = Duration::from_millis(12);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let mut own = OwnServer::start(plan.engine, plan.settings(sabotage.is_some()))?;
    let server = Server::of(&own);
    let mut scene = Scene::set(Setting::new(plan.fault, programs, &server, seed))?;
    let played = play(&mut scene, &mut own, plan, seed);
    if played.is_err() {
        println!("{}:   the server's log ends so: {}", plan.fault, own.end_of_log()?);
    }
    scene.end_with(played, sabotage)
}

fn play(scene: &mut Scene, own: &mut OwnServer, plan: Plan, seed: u64) -> Outcome<Findings> {
    let started = Instant::now();
    let clients = Clients::sign_in(scene.server, None)?;
    // Without the schema, a sabotaged server could not even answer that something is gone.
    Server::of(own).write_all_down()?;
    let (kills_mid_issue, recoveries) = clients.at_work(CLIENTS, || {
        let done = kill_again_and_again(scene, own, &clients, plan, seed);
        clients.finish();
        done
    })?;
    Ok(Findings {
        kills: recoveries.len(),
        kills_mid_issue,
        recoveries,
        answers: clients.answers(),
        invoices: Invoices::gather(&clients, scene)?,
        seed,
        seconds: started.elapsed().as_secs_f32(),
    })
}

/// Returns how many of the kills came while an invoice was being issued, and how long after the server took connections
/// again the first request was carried out.
fn kill_again_and_again(
    scene: &mut Scene,
    own: &mut OwnServer,
    clients: &Clients,
    plan: Plan,
    seed: u64,
) -> Outcome<(usize, Times)> {
    let mut dice = Dice::new(seed);
    let (mut mid_issue, mut recoveries) = (0, Times::default());
    for _ in 0..plan.kills {
        let moment = clients.progress()? + dice.below(ISSUES_BETWEEN);
        let mut come = |what: &str, ready: &dyn Fn() -> Outcome<bool>| {
            until(PROGRESS_WITHIN, what, || {
                scene.must_run()?;
                Ok((ready()? || clients.gave_up()).then_some(()))
            })
        };
        come("invoices to be issued", &|| Ok(clients.progress()? >= moment))?;
        let issuing = || clients.issuing.load(Ordering::SeqCst) > 0;
        until_or_not(ISSUING_WITHIN, || Ok(issuing().then_some(())))?;
        pause(dice.time_below(LATEST));
        mid_issue += usize::from(issuing());
        own.kill()?;
        own.start_again()?;
        let ready = Instant::now();
        come("a request to be carried out again", &|| Ok(clients.success_after(ready).is_some()))?;
        if clients.gave_up() {
            break;
        }
        recoveries.push(clients.success_after(ready).unwrap_or(ready) - ready);
    }
    Ok((mid_issue, recoveries))
}
