//! Other modules are used through their `api`.

use crate::arch::module_sources::part::Part;
use crate::findings::Problem;

/// Finds paths into another module that go past its `api`.
pub(super) fn check(part: &Part<'_>, neighbours: &[String]) -> Vec<Problem> {
    part.path_starts()
        .filter(|(_, word, next)| neighbours.iter().any(|name| name == word) && *next != Some("api"))
        .map(|(line, word, _)| {
            let rule = format!("`{word}` is a module: only `{word}::api` may be used");
            part.problem(line, rule, format!("import from `{word}::api`, or publish an event"))
        })
        .collect()
}
