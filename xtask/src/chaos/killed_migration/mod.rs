//! F4: `migrate` is killed at every moment of twenty migrations: run again, it comes to the same end as if nothing had
//! happened.

mod findings;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::test::servers::{Engine, OwnServer};

use super::dice::Dice;
use super::patience::pause;
use super::programs::Programs;
use super::verdict::Verdict;
use super::victim::Victim;

use self::findings::Findings;

/// What is done in one run, on each database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) kills: usize,
}

/// One for each statement of the migrations, more or less.
pub(super) const FULL: Plan = Plan { kills: 80 };
/// For every change.
pub(super) const SLICE: Plan = Plan { kills: 4 };

const ENGINES: [Engine; 2] = [Engine::Postgres, Engine::MariaDb];
/// Without these rows nobody knows what was applied.
const FORGET: &str = "delete from dolmen_migration";

/// Runs the plan on every database; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    // A sabotage proves what there is to prove on one database.
    let engines = if sabotage.is_some() { &ENGINES[..1] } else { &ENGINES[..] };
    let own = engines.iter().map(|engine| OwnServer::start(*engine, &[])).collect::<Outcome<Vec<_>>>()?;
    let mut servers: Vec<Server> = own.iter().map(Server::of).collect();
    if sabotage.is_none() {
        servers.push(Server::Sqlite);
    }
    let mut all = Verdict::default();
    for server in &servers {
        let stage = Stage { programs, server, sabotaged: sabotage.is_some() };
        let findings = stage
            .play(plan, seed)
            .map_err(|failure| Failure::new(format!("F4 on {}: {failure}; seed {seed}", server.name())))?;
        println!(
            "F4 on {}{}: {findings}",
            server.name(),
            sabotage.map(|s| format!(", {s}")).unwrap_or_default()
        );
        all.add(findings.verdict());
    }
    Ok(all)
}

struct Stage<'a> {
    programs: &'a Programs,
    server: &'a Server,
    sabotaged: bool,
}

impl Stage<'_> {
    fn play(&self, plan: Plan, seed: u64) -> Outcome<Findings> {
        let started = Instant::now();
        let mut dice = Dice::new(seed);
        // The first run also warms the machine up; the second one says how long it takes.
        let clean = self.with_database(|stage, url| stage.migrate(url).and_then(|()| stage.steps(url)))?;
        let takes = self.with_database(|stage, url| {
            let start = Instant::now();
            stage.migrate(url).map(|()| start.elapsed())
        })?;
        let mut findings = Findings { clean, seed, ..Findings::default() };
        let share = takes / u32::try_from(plan.kills.max(1)).unwrap_or(u32::MAX);
        let mut moment = Duration::ZERO;
        for _ in 0..plan.kills {
            let after = moment + dice.time_below(share);
            moment += share;
            self.with_database(|stage, url| stage.kill_and_repeat(url, after, &mut findings))?;
        }
        findings.seconds = started.elapsed().as_secs_f32();
        Ok(findings)
    }

    /// Kills a migration after a time, and runs another one to its end.
    fn kill_and_repeat(&self, url: &str, after: Duration, findings: &mut Findings) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        let mut victim = Victim::start(self.command(url, "migrate-steps"), &folder.path().join("log"))?;
        pause(after);
        if victim.must_run().is_err() || victim.kill().is_err() {
            findings.too_late += 1;
        }
        findings.kills += 1;
        // Without a table there is no mark yet.
        let steps = self.steps(url).ok();
        findings.points.insert(steps.as_ref().map_or(0, |steps| steps.lines().count()));
        if self.sabotaged && steps.is_some() {
            self.server.execute(url, FORGET)?;
        }
        match self.migrate(url).and_then(|()| self.steps(url)) {
            Ok(steps) if steps == findings.clean => findings.converged += 1,
            Ok(steps) => findings.wrong.push(format!("marks {}", steps.replace('\n', " "))),
            Err(failure) => findings.wrong.push(failure.to_string()),
        }
        Ok(())
    }

    fn with_database<T>(&self, work: impl FnOnce(&Self, &str) -> Outcome<T>) -> Outcome<T> {
        let folder = tempfile::tempdir()?;
        let name = format!("dolmen_chaos_migrate_{}", std::process::id());
        let url = self.server.new_database(folder.path(), &name)?;
        let done = work(self, &url);
        self.server.drop_database(&name)?;
        done
    }

    fn migrate(&self, url: &str) -> Outcome<()> {
        process::output_of(&mut self.command(url, "migrate-steps")).map(drop)
    }

    /// The marks that the migrations left.
    fn steps(&self, url: &str) -> Outcome<String> {
        process::output_of(&mut self.command(url, "steps"))
    }

    fn command(&self, url: &str, what: &str) -> Command {
        let mut command = Command::new(&self.programs.chaos);
        command.args([url, what]);
        command
    }
}
