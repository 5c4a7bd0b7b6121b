//! What all sides reached in all rounds, as one table.

use std::fmt;

use serde_json::Value;

/// What is measured of a job queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Measure {
    /// Jobs a second of a queue that was filled before
    Process,
    /// Transactions a second, each with one row of the business and one job
    EnqueueOne,
    /// Jobs a second, a thousand a call
    EnqueueMany,
    /// Milliseconds until an idle worker starts a job
    Start,
}

impl Measure {
    pub(super) const ALL: [Self; 4] = [Self::Process, Self::EnqueueOne, Self::EnqueueMany, Self::Start];

    /// As the programs call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::EnqueueOne => "enqueue-one",
            Self::EnqueueMany => "enqueue-many",
            Self::Start => "start",
        }
    }
}

/// One side: a value for each round that it ran in.
#[derive(Debug)]
struct Row {
    shown: &'static str,
    process: Vec<f64>,
    enqueue_one: Vec<f64>,
    enqueue_many: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    /// How many jobs it got.
    jobs: u64,
}

/// All sides; ours is the first.
#[derive(Debug)]
pub(super) struct Figures {
    rows: Vec<Row>,
}

impl Figures {
    pub(super) fn new(sides: impl Iterator<Item = &'static str>) -> Self {
        let rows = sides.map(|shown| Row {
            shown,
            process: Vec::new(),
            enqueue_one: Vec::new(),
            enqueue_many: Vec::new(),
            p50_ms: Vec::new(),
            p99_ms: Vec::new(),
            jobs: 0,
        });
        Self { rows: rows.collect() }
    }

    /// A side has not come to an end: the rounds that follow still belong to those of the others.
    pub(super) fn miss(&mut self, side: usize, measure: Measure) {
        if let Some(row) = self.rows.get_mut(side).filter(|_| measure == Measure::Process) {
            row.process.push(f64::NAN);
        }
    }

    /// Takes what a program has said; what it has not measured stays empty.
    pub(super) fn add(&mut self, side: usize, measure: Measure, said: &Value) {
        let Some(row) = self.rows.get_mut(side) else { return };
        let figure = |name: &str| said.get(name).and_then(Value::as_f64);
        match measure {
            Measure::Process => {
                row.process.extend(figure("per_second"));
                row.jobs = said.get("jobs").and_then(Value::as_u64).unwrap_or(row.jobs);
            }
            Measure::EnqueueOne => row.enqueue_one.extend(figure("per_second")),
            Measure::EnqueueMany => row.enqueue_many.extend(figure("per_second")),
            Measure::Start => {
                row.p50_ms.extend(figure("p50_ms"));
                row.p99_ms.extend(figure("p99_ms"));
            }
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:26}{:>9}{:>9}{:>11}{:>14}{:>11}{:>15}{:>11}{:>12}{:>9}",
            "",
            "jobs",
            "jobs/s",
            "Dolmen is",
            "enqueue tx/s",
            "Dolmen is",
            "1,000: rows/s",
            "Dolmen is",
            "start p50",
            "p99, ms"
        )?;
        let Some(ours) = self.rows.first() else { return Ok(()) };
        for row in &self.rows {
            writeln!(
                f,
                "  {:26}{:>9}{:>9}{:>11}{:>14}{:>11}{:>15}{:>11}{:>12}{:>9}",
                row.shown,
                row.jobs,
                shown(&row.process, 0),
                ratio(&ours.process, &row.process),
                shown(&row.enqueue_one, 0),
                ratio(&ours.enqueue_one, &row.enqueue_one),
                shown(&row.enqueue_many, 0),
                ratio(&ours.enqueue_many, &row.enqueue_many),
                shown(&row.p50_ms, 2),
                shown(&row.p99_ms, 2)
            )?;
        }
        Ok(())
    }
}

/// The median of each round's ratio, not the ratio of medians: both sides of one round met the same minute.
fn ratio(ours: &[f64], others: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(others).map(|(ours, other)| ours / other).collect();
    let shown = shown(&ratios, 2);
    if shown == "-" { shown } else { format!("{shown} x") }
}

/// The median, or that there is none.
pub(super) fn shown(values: &[f64], digits: usize) -> String {
    median(values).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_those_of_the_rounds() {
        let mut figures = Figures::new(["ours", "other"].into_iter());
        for (ours, other) in [(100, 50), (300, 100), (90, 90)] {
            figures.add(0, Measure::Process, &json!({ "per_second": ours, "jobs": 10 }));
            figures.add(1, Measure::Process, &json!({ "per_second": other, "jobs": 5 }));
        }
        let table = figures.to_string();
        let line = table.lines().find(|line| line.contains("other")).unwrap();
        assert!(line.contains(" 90 ") && line.contains("2.00 x") && line.contains(" 5 "), "{table}");
    }

    #[test]
    fn a_round_without_an_end_is_not_counted() {
        let mut figures = Figures::new(["ours", "other"].into_iter());
        for (round, ours) in [100, 300, 500].into_iter().enumerate() {
            figures.add(0, Measure::Process, &json!({ "per_second": ours }));
            if round == 0 {
                figures.miss(1, Measure::Process);
            } else {
                figures.add(1, Measure::Process, &json!({ "per_second": 100 }));
            }
        }
        assert!(figures.to_string().contains("5.00 x"), "{figures}");
    }

    #[test]
    fn what_a_side_cannot_do_is_a_dash() {
        let mut figures = Figures::new(["ours"].into_iter());
        figures.add(0, Measure::EnqueueMany, &json!({ "per_second": null, "note": "no batch call" }));
        assert!(figures.to_string().lines().nth(1).unwrap().ends_with('-'));
    }
}
