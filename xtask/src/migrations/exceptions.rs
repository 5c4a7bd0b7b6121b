//! Exceptions: `-- dolmen: allow <rule>: <reason>` above a statement.

use super::file::File;
use super::{Slip, mysql, postgres};
use crate::findings::Problem;

const PREFIX: &str = "-- dolmen: allow ";

/// A line that allows something.
#[derive(Debug)]
struct Exception<'a> {
    line: usize,
    rule: &'a str,
    has_reason: bool,
}

/// Takes away what is allowed; names exceptions that allow nothing, have no reason, or name no rule.
pub(super) fn apply(file: &File, mut slips: Vec<Slip>) -> (Vec<Slip>, Vec<Problem>) {
    let mut problems = Vec::new();
    for exception in exceptions(file) {
        let place = format!("{}:{}", file.path, exception.line);
        let rules =
            [postgres::RULES.map(|(rule, _)| rule).as_slice(), &mysql::RULES.map(|(rule, _)| rule)].concat();
        if !rules.contains(&exception.rule) {
            let rule = format!("migrate/exception: there is no rule `{}`", exception.rule);
            let fix = match closest(exception.rule, &rules) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("name one of {}", rules.join(", ")),
            };
            problems.push(Problem::new(place, rule, fix));
            continue;
        }
        if !exception.has_reason {
            problems.push(Problem::new(
                place,
                format!("migrate/exception: `{}` is allowed without a reason", exception.rule),
                format!("write `{PREFIX}{}: <why it is safe here>`", exception.rule),
            ));
            continue;
        }
        let covered =
            file.statement_at(exception.line).map(|statement| (statement.first_line, statement.last_line));
        let before = slips.len();
        slips.retain(|slip| {
            let is_covered = covered.is_some_and(|(first, last)| (first..=last).contains(&slip.line));
            !(slip.rule == exception.rule && is_covered)
        });
        if slips.len() == before {
            problems.push(Problem::new(
                place,
                format!("migrate/exception: nothing breaks `{}` below it", exception.rule),
                "remove the line, or put it directly above the statement that it is for",
            ));
        }
    }
    (slips, problems)
}

fn exceptions(file: &File) -> impl Iterator<Item = Exception<'_>> {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let said = line.trim().strip_prefix(PREFIX)?;
        let (rule, reason) = said.split_once(':').unwrap_or((said, ""));
        Some(Exception { line: index + 1, rule: rule.trim(), has_reason: !reason.trim().is_empty() })
    })
}

/// The rule that shares the most letters at front and end, when that is at least half of it.
fn closest<'a>(word: &str, rules: &[&'a str]) -> Option<&'a str> {
    let shared = |rule: &&str| {
        let front = rule.chars().zip(word.chars()).take_while(|(one, other)| one == other).count();
        let end = rule.chars().rev().zip(word.chars().rev()).take_while(|(one, other)| one == other).count();
        front.max(end)
    };
    rules.iter().copied().max_by_key(shared).filter(|rule| shared(rule) * 2 >= rule.len())
}
