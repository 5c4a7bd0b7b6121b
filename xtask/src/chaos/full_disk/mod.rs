//! F25: the disk that holds the database, the objects and the log is full again and again: nothing acknowledged is lost,
//! no object is torn, and everything goes on once there is room.

mod findings;
mod objects;

use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::test::servers::{Engine, OwnServer, SmallDisk};

use super::patience::{pause, until};
use super::programs::Programs;
use super::times::Times;
use super::verdict::Verdict;
use super::web::{Clients, Invoices, Scene, Setting};

use self::findings::Findings;
use self::objects::Objects;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often the disk is full.
    pub(super) cycles: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { cycles: 50 };
/// For every change.
pub(super) const SLICE: Plan = Plan { cycles: 3 };

const SIZE: &str = "64m";
const CLIENTS: usize = 4;
const ISSUES_BETWEEN: usize = 6;
const PROGRESS_WITHIN: Duration = Duration::from_mins(1);
/// How long the disk stays full, at least.
const FULL_FOR: Duration = Duration::from_millis(300);
const BETWEEN_FILLS: Duration = Duration::from_millis(20);
/// Small files, so that they fit on the disk.
const SETTINGS: [&str; 5] =
    ["--wal-segsize=1", "synchronous_commit=on", "min_wal_size=2MB", "max_wal_size=8MB", "wal_keep_size=0"];

/// Why this machine cannot have such a disk.
pub(super) fn obstacle() -> Option<Failure> {
    SmallDisk::mount("1m").err()
}

/// Runs the plan on SQLite and on PostgreSQL; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let mut both = Verdict::default();
    for engine in [None, Some(Engine::Postgres)] {
        let disk = SmallDisk::mount(SIZE)?;
        both.add(run_on(programs, &disk, engine, plan, seed, sabotage)?);
    }
    Ok(both)
}

fn run_on(
    programs: &Programs,
    disk: &SmallDisk,
    engine: Option<Engine>,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let mut own = match engine {
        Some(engine) => Some(OwnServer::start_below(disk.path(), engine, &SETTINGS)?),
        None => None,
    };
    let server = own.as_ref().map_or(Server::Sqlite, Server::of);
    let mut scene = Scene::set(Setting {
        data: Some(disk.path().to_owned()),
        ..Setting::new("F25", programs, &server, seed)
    })?;
    let mut objects = Objects::store(programs, disk, sabotage.is_some())?;
    let played = play(&mut scene, own.as_mut(), disk, &mut objects, plan, seed);
    scene.end_with(played, sabotage)
}

fn play(
    scene: &mut Scene,
    mut own: Option<&mut OwnServer>,
    disk: &SmallDisk,
    objects: &mut Objects,
    plan: Plan,
    seed: u64,
) -> Outcome<Findings> {
    let started = Instant::now();
    let clients = Clients::sign_in(scene.server, None)?;
    let mut cycles = Cycles::default();
    clients.at_work(CLIENTS, || {
        let mut again = || cycles.play_one(scene, own.as_deref_mut(), disk, objects, &clients);
        let done = (0..plan.cycles).try_for_each(|_| again());
        clients.finish();
        done
    })?;
    objects.end()?;
    Ok(Findings {
        cycles: plan.cycles,
        recoveries: cycles.recoveries,
        restarts: cycles.restarts,
        objects: objects.found(),
        answers: clients.answers(),
        invoices: Invoices::gather(&clients, scene)?,
        seed,
        seconds: started.elapsed().as_secs_f32(),
    })
}

/// What happened so far.
#[derive(Debug, Default)]
struct Cycles {
    /// From the moment when there was room again until a request was carried out.
    recoveries: Times,
    /// How often a server that had ended by itself was started again.
    restarts: usize,
}

impl Cycles {
    /// Fills the disk until everybody has noticed, and frees it.
    fn play_one(
        &mut self,
        scene: &mut Scene,
        mut own: Option<&mut OwnServer>,
        disk: &SmallDisk,
        objects: &mut Objects,
        clients: &Clients,
    ) -> Outcome<()> {
        let moment = clients.progress()? + ISSUES_BETWEEN;
        until(PROGRESS_WITHIN, "invoices to be issued", || {
            scene.must_run()?;
            Ok((clients.progress()? >= moment || clients.gave_up()).then_some(()))
        })?;
        let (failed, full) = (clients.answers().failed(), objects.full()?);
        let begun = Instant::now();
        until(PROGRESS_WITHIN, "everybody to notice that the disk is full", || {
            scene.must_run()?;
            disk.fill()?;
            pause(BETWEEN_FILLS);
            let noticed = clients.answers().failed() > failed && objects.full()? > full;
            Ok((noticed && begun.elapsed() >= FULL_FOR).then_some(()))
        })?;
        objects.look()?;
        disk.free()?;
        let freed = Instant::now();
        until(PROGRESS_WITHIN, "a request to be carried out again", || {
            scene.must_run()?;
            clients.progress()?;
            if let Some(own) = own.as_deref_mut()
                && !own.runs()?
            {
                own.start_again()?;
                self.restarts += 1;
            }
            Ok((clients.success_after(freed).is_some() || clients.gave_up()).then_some(()))
        })?;
        self.recoveries.push(clients.success_after(freed).unwrap_or(freed) - freed);
        Ok(())
    }
}
