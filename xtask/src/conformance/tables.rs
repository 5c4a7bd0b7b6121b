//! The tables, in Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::record::{CaseResult, Record};

/// All tables of a run.
pub(super) fn of(record: &Record) -> String {
    let (of_ports, of_adapters): (Vec<&str>, Vec<&str>) =
        suites(record).into_iter().partition(|suite| names_rules(record, suite));
    [
        table(
            "Promises of the ports: cases that passed, of those that there are.",
            &passed(record, &of_ports),
        ),
        table("Capabilities: what a case may need, and which adapter has it.", &capabilities(record)),
        table("What adapters promise beyond their ports.", &passed(record, &of_adapters)),
        table("Planted defects: each turned a case of each of these rules red.", &defects(record)),
    ]
    .concat()
    .trim_start()
    .to_owned()
}

fn suites(record: &Record) -> Vec<&str> {
    let all: BTreeSet<&str> = record.cases.keys().map(|(suite, _, _)| suite.as_str()).collect();
    all.into_iter().collect()
}

/// Whether the cases of a suite hold the numbered rules of a port.
fn names_rules(record: &Record, suite: &str) -> bool {
    record.cases.keys().any(|(of, case, _)| of == suite && rule(case).is_some())
}

/// `JQ-3` of `JQ-3 smaller_priorities_come_first`.
fn rule(case: &str) -> Option<&str> {
    let (rule, _) = case.split_once(' ')?;
    let (port, number) = rule.split_once('-')?;
    let is_rule = port.chars().all(|c| c.is_ascii_uppercase()) && number.chars().all(|c| c.is_ascii_digit());
    is_rule.then_some(rule)
}

/// A headline and rows, of which the first one heads the columns; nothing when there are no others.
fn table(headline: &str, rows: &[Vec<String>]) -> String {
    let [head, body @ ..] = rows else { return String::new() };
    if body.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{headline}\n\n");
    let rule: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
    for row in [head, &rule].into_iter().chain(body) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// How an adapter's label reads.
fn heading(adapter: &str) -> String {
    match adapter {
        "memory" => "fake",
        "sqlite" => "SQLite",
        "postgres" => "PostgreSQL",
        "postgres-with-replicas" => "PostgreSQL with replicas",
        "pgbouncer" => "PostgreSQL through PgBouncer",
        "mysql" => "MariaDB",
        other => other,
    }
    .to_owned()
}

/// A row per suite: passed and all, or `-` where it was not run. Adapters that ran none of them are left out.
fn passed(record: &Record, suites: &[&str]) -> Vec<Vec<String>> {
    let mut adapters = record.adapters();
    adapters.retain(|adapter| suites.iter().any(|suite| counts(record, suite, adapter).1 > 0));
    let mut rows = vec![head("suite", &adapters)];
    for suite in suites {
        let cells = adapters.iter().map(|adapter| match counts(record, suite, adapter) {
            (_, 0) => "-".to_owned(),
            (passed, all) => format!("{passed}/{all}"),
        });
        rows.push(std::iter::once(suite.replace('_', " ")).chain(cells).collect());
    }
    rows
}

fn head(first: &str, adapters: &[&str]) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(adapters.iter().map(|adapter| heading(adapter))).collect()
}

fn counts(record: &Record, suite: &str, adapter: &str) -> (usize, usize) {
    let of_both = record.cases.iter().filter(|((of, _, on), _)| of == suite && on == adapter);
    let results: Vec<CaseResult> = of_both.map(|(_, ran)| ran.result).collect();
    (results.iter().filter(|result| **result == CaseResult::Passed).count(), results.len())
}

/// A row per capability: `yes` where its cases ran, `no` where they were ignored, `-` where there are none.
fn capabilities(record: &Record) -> Vec<Vec<String>> {
    let needs = |suite: &String, needs: &Option<String>| Some((needs.clone()?, suite.replace('_', " ")));
    let all: BTreeSet<(String, String)> =
        record.cases.iter().filter_map(|((suite, _, _), ran)| needs(suite, &ran.needs)).collect();
    // A server is no capability of an adapter.
    let all: Vec<_> = all.into_iter().filter(|(capability, _)| !capability.starts_with("TEST_")).collect();
    let cell = |capability: &str, suite: &str, adapter: &str| {
        let of_both = record.cases.iter().filter(|((of, _, on), ran)| {
            of.replace('_', " ") == suite && on == adapter && ran.needs.as_deref() == Some(capability)
        });
        let ignored: Vec<bool> = of_both.map(|(_, ran)| ran.result == CaseResult::Ignored).collect();
        match ignored.iter().all(|ignored| *ignored) {
            _ if ignored.is_empty() => "-",
            true => "no",
            false => "yes",
        }
    };
    let mut adapters = record.adapters();
    adapters.retain(|adapter| all.iter().any(|(capability, suite)| cell(capability, suite, adapter) != "-"));
    let mut rows = vec![head("suite: capability", &adapters)];
    for (capability, suite) in &all {
        let cells = adapters.iter().map(|adapter| cell(capability, suite, adapter).to_owned());
        let capability = capability.replace('_', " ");
        rows.push(std::iter::once(format!("{suite}: {capability}")).chain(cells).collect());
    }
    rows
}

/// A row per defect, with the rules whose cases it turned red.
fn defects(record: &Record) -> Vec<Vec<String>> {
    let mut rows = vec![["suite", "defect", "rules"].map(str::to_owned).to_vec()];
    for ((suite, defect), cases) in &record.defects {
        let mut rules: Vec<&str> = cases.iter().filter_map(|case| rule(case)).collect();
        rules.sort_by_key(|rule| (rule.len(), *rule));
        rules.dedup();
        rows.push(vec![suite.replace('_', " "), in_words(defect), rules.join(", ")]);
    }
    rows
}

/// `NoFencing` as `no fencing`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::record::tests::record;

    #[test]
    fn each_cell_is_what_was_recorded() {
        let expected = "\
Promises of the ports: cases that passed, of those that there are.

| suite | fake | zinc |
| --- | --- | --- |
| stones | 0/2 | 2/2 |

Capabilities: what a case may need, and which adapter has it.

| suite: capability | fake | zinc |
| --- | --- | --- |
| stones: wings | no | yes |

What adapters promise beyond their ports.

| suite | zinc |
| --- | --- |
| half dug | 1/1 |

Planted defects: each turned a case of each of these rules red.

| suite | defect | rules |
| --- | --- | --- |
| stones | no ground | ST-1, ST-2 |
";
        assert_eq!(of(&record()), expected);
    }

    #[test]
    fn rules_are_told_from_sentences() {
        assert_eq!(rule("JQ-3 smaller_priorities_come_first"), Some("JQ-3"));
        assert_eq!(rule("a_nested_write_is_refused"), None);
        assert_eq!(rule("x-ray vision"), None);
    }
}
