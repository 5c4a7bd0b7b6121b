//! F26: clients write on one instance and read on another one, from two replicas of which one is far behind: each sees its
//! own write.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::database::{Server, with_database};
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::test::servers::{Engine, OwnServer};

use super::programs::Programs;
use super::verdict::Verdict;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pairs: i64,
    /// How many seconds one replica is behind; the other one is behind for a moment only.
    delay: u32,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { pairs: 10_000, delay: 5 };
/// For every change.
pub(super) const SLICE: Plan = Plan { pairs: 400, delay: 2 };

/// Runs the plan on PostgreSQL and on MariaDB; what it found on the first of them that decides.
pub(super) fn run(
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let engines = [Engine::Postgres, Engine::MariaDb].into_iter();
    let runs = engines.map(|engine| run_on(engine, programs, plan, seed, sabotage));
    Verdict::of_runs(sabotage.is_some(), runs)
}

fn run_on(
    engine: Engine,
    programs: &Programs,
    plan: Plan,
    seed: u64,
    sabotage: Option<&'static str>,
) -> Outcome<Verdict> {
    let (primary, replicas) = start(engine, plan)?;
    let server = Server::of(&primary);
    let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
    let database = format!("dolmen_chaos_reads_{}_{seed}", std::process::id());
    let url = server.new_database(folder.path(), &database)?;
    let read_urls = replicas.iter().map(|replica| with_database(replica.url(), &database));
    let read_urls = read_urls.collect::<Outcome<Vec<_>>>()?.join(",");
    let started = Instant::now();
    process::output_of(Command::new(&programs.chaos).args([&url, "migrate"]))?;
    let mut asked = Command::new(&programs.chaos);
    asked.args([&url, "play", "stale-reads", &plan.pairs.to_string(), "--read-urls", &read_urls]);
    asked.args(sabotage.iter().flat_map(|sabotage| ["--sabotage", sabotage]));
    let printed = process::output_of(&mut asked)?;
    let counts: Value = serde_json::from_str(&printed).while_doing(format!("read {printed:?}"))?;
    let (figures, verdict) = judge(&counts, plan)?;
    let left_out = sabotage.map(|sabotage| format!(", {sabotage}")).unwrap_or_default();
    let (name, seconds) = (server.name(), started.elapsed().as_secs_f32());
    println!("F26 on {name} with 2 replicas{left_out}: {figures}, {seconds:.0} s: {verdict}");
    Ok(verdict)
}

/// A primary and two replicas: one that is far behind, one that is not.
fn start(engine: Engine, plan: Plan) -> Outcome<(OwnServer, [OwnServer; 2])> {
    if engine == Engine::Postgres {
        let primary = OwnServer::start(engine, &[])?;
        let standby = |delay: &str| primary.start_standby(&[&format!("recovery_min_apply_delay={delay}")]);
        let replicas = [standby(&format!("{}s", plan.delay))?, standby("20ms")?];
        return Ok((primary, replicas));
    }
    let primary = OwnServer::start(engine, &["--server-id=1", "--log-bin=log", "--binlog-format=row"])?;
    let replica = |id: u32, delay: u32| {
        let replica = OwnServer::start(engine, &[&format!("--server-id={id}"), "--read-only=1"])?;
        let port = primary.port()?;
        Server::of(&replica).tell(&format!(
            "change master to master_host = '127.0.0.1', master_port = {port}, master_user = 'root', \
             master_use_gtid = slave_pos, master_delay = {delay}; start slave"
        ))?;
        Ok::<_, Failure>(replica)
    };
    let replicas = [replica(2, plan.delay)?, replica(3, 0)?];
    Ok((primary, replicas))
}

fn judge(counts: &Value, plan: Plan) -> Outcome<(String, Verdict)> {
    let of = |name: &str| {
        let count = counts.get(name).and_then(Value::as_i64);
        count.ok_or_else(|| Failure::new(format!("the program did not count {name}: {counts}")))
    };
    let (pairs, stale, on_replicas, fallbacks) =
        (of("pairs")?, of("stale")?, of("on_replicas")?, of("fallbacks")?);
    let mut verdict = Verdict::default();
    verdict.promise(stale == 0, || format!("{stale} reads did not see the write before them"));
    verdict.expect(pairs >= plan.pairs, || format!("only {pairs} pairs"));
    verdict.expect(on_replicas > 0, || "no replica ever answered".to_owned());
    // Without a position nothing has to fall back, and the promise above is broken.
    verdict.expect(fallbacks > 0 || stale > 0, || "no replica was ever behind".to_owned());
    let figures = format!(
        "{pairs} pairs of write and read, {on_replicas} reads on replicas, {fallbacks} on the primary, {stale} stale"
    );
    Ok((figures, verdict))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stale_reads_are_noticed_and_a_run_without_replicas_proves_nothing() {
        let judged = |stale: i64, on_replicas: i64, fallbacks: i64| {
            let counts = json!({ "pairs": 10_000, "stale": stale, "on_replicas": on_replicas, "fallbacks": fallbacks });
            judge(&counts, FULL).expect("all counts").1
        };
        assert!(judged(0, 100, 9_900).is_green());
        assert!(judged(1, 100, 9_900).broke_a_promise());
        assert!(!judged(0, 0, 9_900).is_green());
        assert!(!judged(0, 10_000, 0).is_green());
    }
}
