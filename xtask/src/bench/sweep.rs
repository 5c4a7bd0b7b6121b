//! The settings of the rivals: what each brings, so that the best can be committed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::jobs::{Options, RIVALS};
use super::program::measured;
use crate::database::Server;
use crate::failure::Outcome;
use crate::process;

/// Tries all settings of each rival, so many rounds.
pub(super) fn run(rivals: &Path, server: &Server, options: &Options) -> Outcome<()> {
    let jobs = options.jobs.to_string();
    for round in 1..=options.rounds {
        for (name, shown) in RIVALS {
            println!("{shown}, round {round}:");
            let settings = process::output_of(Command::new(rivals).args(["settings", name]))?;
            for (index, line) in settings.lines().enumerate() {
                let variant = index.to_string();
                let tried = |measure: &str, amount: &[&str]| {
                    measured(rivals, server, &[measure, name], &[&["--variant", &variant], amount].concat())
                };
                // A setting may be so bad that no run ends: that is a result too.
                let process = tried("process", &["--jobs", &jobs]).ok();
                let start = tried("start", &[]).ok();
                println!(
                    "  {index} {:>9} jobs/s  start p50 {:>8} p99 {:>8} ms  {line}",
                    shown_of(process.as_ref(), "per_second"),
                    shown_of(start.as_ref(), "p50_ms"),
                    shown_of(start.as_ref(), "p99_ms")
                );
            }
        }
    }
    Ok(())
}

fn shown_of(said: Option<&Value>, figure: &str) -> String {
    let value = said.and_then(|said| said.get(figure)).and_then(Value::as_f64);
    value.map_or_else(|| "failed".to_owned(), |value| format!("{value:.1}"))
}
