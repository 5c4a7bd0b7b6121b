//! The direction of `crate::` paths.

use crate::arch::module_sources::part::Part;
use crate::findings::Problem;
use crate::rust_source::crate_paths;

/// The parts that a part may use, and where code goes that wants more. Who is not listed is free.
const DIRECTIONS: [(&str, &[&str], &str); 4] = [
    ("domain", &["domain"], "pass the value in, or move the code that needs it to application"),
    ("ports", &["ports", "domain"], "a repository trait speaks of domain values only"),
    (
        "application",
        &["application", "domain", "ports", "api"],
        "ask for a port in ports.rs and implement it in adapters",
    ),
    (
        "api",
        &["api", "domain", "ports", "application"],
        "what others see must not show how it is stored or sent",
    ),
];

/// Finds paths that lead against the direction.
pub(super) fn check(part: &Part<'_>) -> Vec<Problem> {
    let name = part.name();
    let Some((_, allowed, fix)) = DIRECTIONS.iter().find(|(known, ..)| *known == name) else {
        return Vec::new();
    };
    crate_paths(&part.tokens, &part.module)
        .into_iter()
        .filter(|path| Part::is_one(&path.top) && !allowed.contains(&path.top.as_str()))
        .map(|path| {
            let rule = format!("{name} uses `crate::{}`; {name} may use {}", path.top, allowed.join(", "));
            part.problem(path.line, rule, *fix)
        })
        .collect()
}
