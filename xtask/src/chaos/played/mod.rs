//! F21, F22, F23, F28 and F44: faults that one process plays on a database by itself. It counts, and here is judged.

mod cancelled;
mod conflicts;
mod lost_updates;
mod old_snapshots;
mod stale_plans;

use std::fmt::Display;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::database::{Server, at_port};
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::programs::Programs;
use super::proxy::Proxy;
use super::verdict::Verdict;

/// A fault that is played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    fault: &'static str,
    /// How the program calls it.
    play: &'static str,
    /// How much of it.
    amount: u64,
    /// For every change.
    slice: u64,
    /// Each answer of a server takes a millisecond. One that is there before it is waited for is no await, and a server on
    /// the same machine is often that quick.
    slowed: bool,
    judge: fn(&Counts, u64) -> Outcome<(String, Verdict)>,
}

/// What the fault promises in full.
pub(super) const F21: Plan =
    Plan { fault: "F21", play: "cancelled", amount: 100, slice: 10, slowed: true, judge: cancelled::judge };
pub(super) const F22: Plan = Plan {
    fault: "F22",
    play: "conflicts",
    amount: 10_000,
    slice: 500,
    slowed: false,
    judge: conflicts::judge,
};
pub(super) const F23: Plan = Plan {
    fault: "F23",
    play: "old-snapshots",
    amount: 900,
    slice: 15,
    slowed: false,
    judge: old_snapshots::judge,
};
pub(super) const F28: Plan = Plan {
    fault: "F28",
    play: "stale-plans",
    amount: 200,
    slice: 10,
    slowed: false,
    judge: stale_plans::judge,
};
pub(super) const F44: Plan = Plan {
    fault: "F44",
    play: "lost-updates",
    amount: 10_000,
    slice: 500,
    slowed: false,
    judge: lost_updates::judge,
};

impl Plan {
    /// For every change.
    pub(super) fn slice(self) -> Self {
        Self { amount: self.slice, ..self }
    }

    /// A left-out guard shows soon.
    fn sabotaged(self) -> Self {
        Self { amount: self.amount.div_ceil(5).max(5), ..self }
    }
}

/// What the program has counted.
#[derive(Debug)]
struct Counts(Value);

impl Counts {
    fn of(&self, name: &str) -> Outcome<i64> {
        let count = self.0.get(name).and_then(Value::as_i64);
        count.ok_or_else(|| Failure::new(format!("the program did not count {name}: {}", self.0)))
    }

    /// One of what went wrong.
    fn example(&self) -> &str {
        self.0.get("example").and_then(Value::as_str).unwrap_or("no example")
    }
}

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { plan.sabotaged() } else { plan };
    let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
    let database = format!("dolmen_chaos_play_{}_{seed}", std::process::id());
    let url = server.new_database(folder.path(), &database)?;
    let started = Instant::now();
    let played = slowed(programs, server, plan).and_then(|proxy| {
        let way = proxy.as_ref().map(|proxy| at_port(&url, proxy.port())).transpose()?;
        let way = way.as_deref().unwrap_or(&url);
        let ask =
            |arguments: &[&str]| process::output_of(Command::new(&programs.chaos).arg(way).args(arguments));
        ask(&["migrate"])?;
        let amount = plan.amount.to_string();
        let switch: &[&str] = if sabotage.is_some() { &["--sabotage"] } else { &[] };
        let arguments = [&["play", plan.play, amount.as_str()], switch].concat();
        ask(&arguments.into_iter().chain(sabotage).collect::<Vec<_>>())
    });
    server.drop_database(&database)?;
    let printed = played?;
    let counts = serde_json::from_str(&printed).while_doing(format!("read {printed:?}"))?;
    let (figures, verdict) = (plan.judge)(&Counts(counts), plan.amount)?;
    let left_out = sabotage.map(|sabotage| format!(", {sabotage}")).unwrap_or_default();
    let (fault, name, seconds) = (plan.fault, server.name(), started.elapsed().as_secs_f32());
    println!("{fault} on {name}{left_out}: {figures}, {seconds:.0} s: {verdict}");
    Ok(verdict)
}

/// What stands before the server of a plan that wants it slow.
fn slowed(programs: &Programs, server: &Server, plan: Plan) -> Outcome<Option<Proxy>> {
    if !plan.slowed || *server == Server::Sqlite {
        return Ok(None);
    }
    let proxy = Proxy::start(&programs.proxy, &server.address()?)?;
    proxy.tell("slow 1")?;
    Ok(Some(proxy))
}

/// A promise that something never happens.
fn never(verdict: &mut Verdict, count: i64, what: impl Display, example: &str) {
    verdict.promise(count == 0, || format!("{count} {what}, such as: {example}"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A sound run of each fault, and what makes it red.
    fn cases() -> Vec<(Plan, Value, &'static [&'static str])> {
        vec![
            (
                F21,
                json!({ "rounds": 100, "cancelled": 2_000, "poisoned": 0, "torn": 0, "idle_transactions": 0 }),
                &["poisoned", "torn", "idle_transactions"],
            ),
            (
                F22,
                json!({
                    "deadlocks": 6_000, "serialization_failures": 2_000, "lock_timeouts": 2_000, "done": 12_000,
                    "surfaced": 100, "unbounded": 0, "lost": 0, "doubled": 0, "money_made": 0, "strange": 0,
                }),
                &["unbounded", "lost", "doubled", "money_made", "strange"],
            ),
            (
                F23,
                json!({
                    "seconds": 900, "enqueued": 720_000, "claimed": 720_000, "claims": 90_000, "claim_p99_us": 9_000, "named": 899,
                    "ended_early": 0,
                }),
                &["claimed", "named"],
            ),
            (F28, json!({ "changes": 200, "units": 1_000, "reruns": 50, "visible": 0 }), &["visible"]),
            (F44, json!({ "updates": 10_000, "stored": 10_000, "stale": 300 }), &["stored"]),
        ]
    }

    #[test]
    fn each_broken_promise_is_noticed() {
        for (plan, sound, promises) in cases() {
            let judge = |counts: Value| (plan.judge)(&Counts(counts), plan.amount).expect("all counts").1;
            assert!(judge(sound.clone()).is_green(), "{plan:?}");
            for name in promises {
                let mut broken = sound.clone();
                broken[*name] = json!(1);
                assert!(judge(broken).broke_a_promise(), "{plan:?} with {name}");
            }
        }
    }

    #[test]
    fn a_run_that_did_too_little_is_red() {
        for (plan, sound, _) in cases() {
            let idle = sound.as_object().map(|counts| counts.keys().map(|name| (name.clone(), json!(0))));
            let idle = Value::Object(idle.into_iter().flatten().collect());
            let (_, verdict) = (plan.judge)(&Counts(idle), plan.amount).expect("all counts");
            assert!(!verdict.is_green(), "{plan:?}");
        }
    }
}
