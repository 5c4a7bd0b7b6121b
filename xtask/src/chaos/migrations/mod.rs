//! F4: `migrate` is killed at every statement of twenty migrations, and run again. PostgreSQL and SQLite get to the end; the
//! MySQL family gets there too, or stops with a text that says what to do, and doing it helps.

mod findings;
mod point;
mod scene;

use std::time::Instant;

use crate::database::Server;
use crate::failure::{Failure, Outcome};

use super::programs::Programs;
use super::verdict::Verdict;

use self::findings::Findings;
use self::point::{Point, Statement};
use self::scene::Scene;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Of so many points in a row one is played.
    every: usize,
}

/// All points.
pub(super) const FULL: Plan = Plan { every: 1 };
/// For every change; the seed says which ones.
pub(super) const SLICE: Plan = Plan { every: 9 };

/// The sabotaged program commits statements without their record: only the first points can do without it.
const SABOTAGED_POINTS: usize = 4;

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let started = Instant::now();
    let scene = Scene::set(programs, server, seed, sabotage.is_some())?;
    let statements = Statement::listed(&scene.list()?)?;
    let all = Point::all(server, &statements);
    let offset = usize::try_from(seed).unwrap_or(0) % plan.every;
    let mut chosen: Vec<&Point> = all.iter().skip(offset).step_by(plan.every).collect();
    if sabotage.is_some() {
        chosen.truncate(SABOTAGED_POINTS);
    }
    let expected = scene.clean_run()?;
    let mut findings = Findings::new(statements.len(), all.len(), seed);
    for point in chosen {
        let outcome = scene.play(point, &statements, &expected);
        findings.note(
            point,
            outcome.map_err(|failure| Failure::new(format!("F4, {point:?}: {failure}; seed {seed}")))?,
        );
    }
    findings.seconds = started.elapsed().as_secs_f32();
    let verdict = findings.verdict(server);
    let name = sabotage.map(|name| format!(", {name}")).unwrap_or_default();
    println!("F4 on {}{name}: {findings}: {verdict}", server.name());
    Ok(verdict)
}
