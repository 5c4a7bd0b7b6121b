//! F38: the database server is away, and comes back to many waiting clients, many workers and a backlog of jobs: they come back
//! without a rush, and the web is soon as fast as it was.

mod crowd;
mod findings;
mod watch;

use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::{Outcome, While as _};
use crate::test::servers::{Engine, OwnServer};

use super::effects::Effects;
use super::patience::until;
use super::programs::Programs;
use super::proxy::Proxy;
use super::site::{Site, end_all};
use super::verdict::Verdict;
use super::victim::Victim;
use super::web::{Clients, Scene, Setting};

use self::crowd::Crowd;
use self::findings::Findings;
use self::watch::Watch;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How long everything is watched before.
    before: Duration,
    /// How long the server is away.
    away: Duration,
    /// How long everything is watched once it is there again.
    after: Duration,
    backlog: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan {
    before: Duration::from_secs(20),
    away: Duration::from_mins(1),
    after: Duration::from_secs(12),
    backlog: 50_000,
};
/// For every change.
pub(super) const SLICE: Plan = Plan {
    before: Duration::from_secs(2),
    away: Duration::from_secs(3),
    after: Duration::from_secs(5),
    backlog: 2_000,
};

/// Pools without a gate rush at once.
const SABOTAGED: Plan = Plan {
    before: Duration::from_secs(1),
    away: Duration::from_secs(2),
    after: Duration::from_secs(2),
    backlog: 100,
};

const WORKERS: usize = 10;
/// Such that the backlog lasts.
const JOB_MS: &str = "100";
/// The connections of the server: more than all processes want.
const ROOM: &str = "max_connections=300";
/// Of a pool without a gate: as many as a worker has jobs.
const CONNECTIONS: &str = "4";
/// The most jobs at the server when it is killed. What it committed without an answer is done, and the journal does not know.
const MOST_CUT_OFF: usize = 200;
const BACKLOG_WITHIN: Duration = Duration::from_mins(20);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(programs: &Programs, plan: Plan, seed: u64, sabotage: Option<&str>) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { SABOTAGED } else { plan };
    let mut own = OwnServer::start(Engine::Postgres, &[ROOM, "synchronous_commit=on", "fsync=on"])?;
    let server = Server::of(&own);
    let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
    let by_port = Some(proxy.port());
    let scene = Scene::set(Setting { by_port, ..Setting::new("F38", programs, &server, seed) })?;
    let mut site = Site::set("F38", programs, &server, sabotage, seed)?;
    site.reach_by(proxy.port())?;
    let played = play(&scene, &mut site, &mut own, &proxy, plan, sabotage.is_some());
    scene.leave();
    site.end_with(played)
}

fn play(
    scene: &Scene,
    site: &mut Site,
    own: &mut OwnServer,
    proxy: &Proxy,
    plan: Plan,
    without_gate: bool,
) -> Outcome<Findings> {
    let clients = Clients::sign_in(scene.server, None)?;
    let journal = site.journal_path();
    let mut workers =
        (0..WORKERS).map(|_| site.start_other(&["work", &journal])).collect::<Outcome<Vec<Victim>>>()?;
    let pools = if without_gate { WORKERS } else { 0 };
    let borrow = ["borrow", CONNECTIONS, "1000", "--plain"];
    let pools = (0..pools).map(|_| site.start_other(&borrow)).collect::<Outcome<Vec<Victim>>>()?;
    let workers_and_pools = workers.len() + pools.len();
    site.enqueue("heed", plan.backlog, &["--millis", JOB_MS])?;
    let crowd = Crowd::of(&clients);
    let mut watch = Watch::over(proxy);
    let (began, mut kept) = (Instant::now(), 0);
    let (gone, back) = crowd.at_work(site.seed, || {
        watch.look_for(plan.before)?;
        let server = Server::of(own);
        let count = "select count(*) from pg_stat_activity where backend_type = 'client backend'";
        kept = server.ask("postgres", count)?.trim().parse().while_doing("count connections")?;
        let gone = Instant::now();
        own.kill()?;
        watch.look_for(plan.away)?;
        own.start_again()?;
        let back = Instant::now();
        watch.look_for(plan.after)?;
        Ok((gone, back))
    })?;
    drop(pools);
    until(BACKLOG_WITHIN, "the backlog to be done", || {
        workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
        let left = site.journal.read()?.left();
        let done = left == 0 || (left <= MOST_CUT_OFF && site.jobs()?.waiting == 0);
        Ok(done.then_some(()))
    })?;
    end_all(&mut workers)?;
    Ok(Findings {
        plan,
        // The web process is one more.
        processes: workers_and_pools + 1,
        kept,
        peak_away: watch.peak(gone, back),
        peak_back: watch.peak(back, back + plan.after),
        before: crowd.took(began, gone),
        after: (0..plan.after.as_secs())
            .map(|second| {
                let from = back + Duration::from_secs(second);
                crowd.took(from, from + Duration::from_secs(1))
            })
            .collect(),
        effects: Effects::gather(site)?,
        seed: site.seed,
        seconds: site.started.elapsed().as_secs_f32(),
    })
}
