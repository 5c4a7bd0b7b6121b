//! F17: a slow network, one that trickles, and one that cuts connections, between workers and their database: jobs take
//! longer, none is stuck or done twice, and no connection is left over.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::{self, Server};
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::journal::Journal;
use super::patience::{pause, until_or_not};
use super::programs::Programs;
use super::proxy::Proxy;
use super::verdict::{Figures, Verdict, some};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// A unit of time, of which each weather lasts so many.
    unit: Duration,
    /// How often each of them comes.
    rounds: u32,
    /// How long after the bad weather the last job may end: what trickles is given up at the limit, and its lease runs out.
    done_within: Duration,
}

/// What is stuck for so long with the guard left out is stuck for good.
const STUCK_AFTER: Duration = Duration::from_secs(8);

/// What the fault promises in full.: ten minutes.
pub(super) const FULL: Plan =
    Plan { unit: Duration::from_secs(10), rounds: 8, done_within: Duration::from_secs(30) };
/// For every change.
pub(super) const SLICE: Plan =
    Plan { unit: Duration::from_secs(1), rounds: 1, done_within: Duration::from_secs(30) };

/// What the network does for a while.
struct Weather {
    name: &'static str,
    /// What the proxy is told.
    orders: &'static [&'static str],
    units: u32,
}

const WEATHERS: [Weather; 4] = [
    Weather { name: "clear", orders: &["clear"], units: 1 },
    Weather { name: SLOW, orders: &["slow 200"], units: 4 },
    Weather { name: "1 % cut", orders: &["clear", "cut-one-in 100"], units: 1 },
    Weather { name: "1 B/s", orders: &["cut-one-in 0", "trickle 1"], units: 2 },
];
const SLOW: &str = "+200 ms";
const WORKERS: usize = 2;
/// A worker's pool, its heartbeat, and one more while a connection is being replaced.
const CONNECTIONS_OF_WORKER: usize = 12;
/// Jobs at the beginning of each weather, for each of its seconds.
const JOBS_PER_SECOND: u64 = 4;
/// Long enough for several round trips on the slow network, between claim and first extension.
const LEASE: &str = "6000";
/// How long a statement may take, and with the guard left out.
const LIMIT: &str = "5000";
const NO_LIMIT: &str = "3600000";
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { Plan { done_within: STUCK_AFTER, ..plan } } else { plan };
    let kind = if sabotage.is_some() { "sabotaged" } else { "weather" };
    let database = format!("dolmen_chaos_{kind}_{}_{seed}", std::process::id());
    let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
    let url = server.new_database(folder.path(), &database)?;
    let limit = if sabotage.is_some() { NO_LIMIT } else { LIMIT };
    let played = Scene::set(programs, server, url.clone(), folder, limit).and_then(|mut scene| {
        let played = play(&mut scene, plan);
        if played.as_ref().is_ok_and(|findings| findings.verdict().is_green()) || sabotage.is_some() {
            return played;
        }
        println!("F17:   the logs are kept: {}; database: {url}", scene.folder.keep().display());
        played
    });
    let findings = played
        .map_err(|failure| Failure::new(format!("F17 on {}: {failure}; seed {seed}", server.name())))?;
    let verdict = findings.verdict();
    println!(
        "F17 on {}{}: {findings}",
        server.name(),
        sabotage.map(|s| format!(", {s}")).unwrap_or_default()
    );
    if verdict.is_green() || sabotage.is_some() {
        server.drop_database(&database)?;
    }
    Ok(verdict)
}

struct Scene {
    program: PathBuf,
    /// Past the proxy.
    url: String,
    folder: TempDir,
    journal: Journal,
    proxy: Proxy,
    workers: Vec<Victim>,
}

impl Scene {
    fn set(programs: &Programs, server: &Server, url: String, folder: TempDir, limit: &str) -> Outcome<Self> {
        let path = folder.path().join("journal");
        std::fs::write(&path, "")?;
        let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
        let journal = Journal::open(&path)?;
        let mut scene =
            Self { program: programs.chaos.clone(), url, folder, journal, proxy, workers: Vec::new() };
        scene.ask(&["migrate"])?;
        let through_proxy = database::at_port(&scene.url, scene.proxy.port())?;
        for number in 0..WORKERS {
            let mut command = Command::new(&scene.program);
            command.args([&through_proxy, "work"]).arg(&path);
            command.args(["--lease-ms", LEASE, "--statement-ms", limit]);
            let log = scene.folder.path().join(format!("worker-{number}.log"));
            scene.workers.push(Victim::start(command, &log)?);
        }
        Ok(scene)
    }

    fn ask(&self, arguments: &[&str]) -> Outcome<String> {
        process::output_of(Command::new(&self.program).arg(&self.url).args(arguments))
    }

    fn must_run(&mut self) -> Outcome<()> {
        let folder = self.folder.path().display().to_string();
        let ended = |failure| Failure::new(format!("{failure}; see {folder}"));
        self.workers.iter_mut().try_for_each(Victim::must_run).map_err(ended)
    }
}

fn play(scene: &mut Scene, plan: Plan) -> Outcome<Findings> {
    let started = Instant::now();
    let (mut ended, mut most_connections) = (Vec::new(), 0);
    for _ in 0..plan.rounds {
        for Weather { name, orders, units } in WEATHERS {
            let spell = plan.unit * units;
            let jobs = JOBS_PER_SECOND * spell.as_secs();
            let journal = scene.folder.path().join("journal");
            scene.ask(&["enqueue", &journal.to_string_lossy(), &jobs.to_string()])?;
            orders.iter().try_for_each(|order| scene.proxy.tell(order))?;
            let (before, begun) = (scene.journal.read()?.ended.len(), Instant::now());
            while begun.elapsed() < spell {
                scene.must_run()?;
                most_connections = most_connections.max(scene.proxy.ask("connections")?);
                pause(Duration::from_millis(50));
            }
            ended.push((name, scene.journal.read()?.ended.len() - before));
        }
    }
    scene.proxy.tell("clear")?;
    let clear = Instant::now();
    until_or_not(plan.done_within, || {
        scene.must_run()?;
        pause(Duration::from_millis(100));
        Ok((left(scene)? == 0).then_some(()))
    })?;
    let (stuck, last_after) = (left(scene)?, clear.elapsed());
    let mut left_connections = 0;
    if stuck == 0 {
        for worker in &mut scene.workers {
            worker.end()?;
        }
        until_or_not(GONE_WITHIN, || {
            left_connections = scene.proxy.ask("connections")?;
            Ok((left_connections == 0).then_some(()))
        })?;
    }
    scene.workers.clear();
    let (lost, doubled) = effects(scene)?;
    Ok(Findings {
        plan,
        ended,
        jobs: scene.journal.read()?.enqueued.len(),
        stuck,
        last_after,
        lost,
        doubled,
        refused: scene.journal.read()?.refused,
        most_connections,
        left_connections,
        seconds: started.elapsed().as_secs_f32(),
    })
}

/// How many jobs are not done: those that wait, run or are dead.
fn left(scene: &Scene) -> Outcome<u64> {
    let mut left = 0;
    for line in scene.ask(&["jobs"])?.lines() {
        let (_, count) = line.split_once(' ').unwrap_or((line, ""));
        left += count.parse::<u64>().while_doing(format!("read {line:?}"))?;
    }
    Ok(left)
}

/// The jobs without an effect, and those with several.
fn effects(scene: &mut Scene) -> Outcome<(Vec<String>, Vec<String>)> {
    let printed = scene.ask(&["effects"])?;
    let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
    for line in printed.lines() {
        *effects.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let enqueued = &scene.journal.read()?.enqueued;
    let lost = enqueued.iter().filter(|job| !effects.contains_key(job.as_str())).cloned().collect();
    let doubled = effects.iter().filter(|(_, count)| **count > 1).map(|(job, _)| (*job).to_owned()).collect();
    Ok((lost, doubled))
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    /// How many jobs ended in each spell.
    ended: Vec<(&'static str, usize)>,
    jobs: usize,
    stuck: u64,
    /// How long after the bad weather the last job was done.
    last_after: Duration,
    lost: Vec<String>,
    doubled: Vec<String>,
    refused: usize,
    most_connections: usize,
    left_connections: usize,
    seconds: f32,
}

impl Findings {
    fn in_weather(&self, name: &str) -> usize {
        self.ended.iter().filter(|(weather, _)| *weather == name).map(|(_, ended)| ended).sum()
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.promise(self.stuck == 0, || {
            format!(
                "{} jobs not done {} s after the bad weather",
                self.stuck,
                self.plan.done_within.as_secs()
            )
        });
        // Of jobs that are stuck the effect is missing as well.
        verdict
            .promise(self.lost.is_empty() || self.stuck > 0, || format!("no effect: {}", some(&self.lost)));
        verdict.promise(self.doubled.is_empty(), || format!("more than one effect: {}", some(&self.doubled)));
        let allowed = WORKERS * CONNECTIONS_OF_WORKER;
        verdict.promise(self.most_connections <= allowed, || {
            format!("{} connections at once, where {allowed} are allowed", self.most_connections)
        });
        verdict.promise(self.left_connections == 0, || {
            format!("{} connections after the workers", self.left_connections)
        });
        let slow = self.in_weather(SLOW);
        verdict.expect(slow > 0, || "no job was done on the slow network".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} jobs; a second:", self.jobs)?;
        for Weather { name, units, .. } in WEATHERS {
            let seconds = (self.plan.unit * units * self.plan.rounds).as_secs_f64();
            let ended = f64::from(u32::try_from(self.in_weather(name)).unwrap_or(u32::MAX));
            write!(f, " {name} {:.1},", ended / seconds)?;
        }
        write!(
            f,
            " {} stuck, last one done {:.1} s after the bad weather, {} lost, {} doubled, {} commits refused, at most {} \
             connections, {} left over, {:.0} s: {}",
            self.stuck,
            self.last_after.as_secs_f32(),
            self.lost.len(),
            self.doubled.len(),
            self.refused,
            self.most_connections,
            self.left_connections,
            self.seconds,
            self.verdict()
        )
    }
}
