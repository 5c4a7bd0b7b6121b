//! Technology stays at the rim of the hexagon.

use crate::arch::module_sources::part::Part;
use crate::findings::Problem;

/// The inner parts; `adapters` and the table of contents, `module.rs`, may name any crate.
const INNER: [&str; 4] = ["domain", "ports", "application", "api"];

/// Crates that speak HTTP or SQL.
const TECHNOLOGY: [&str; 6] = ["poem", "poem_openapi", "hyper", "sqlx", "dolmen_poem", "dolmen_sql"];

/// Crates for I/O and formats, which the domain does without.
const NOT_IN_DOMAIN: [&str; 4] = ["tokio", "serde", "serde_json", "async_trait"];

/// Finds inner parts that name technology.
pub(super) fn check(part: &Part<'_>) -> Vec<Problem> {
    let name = part.name();
    if !INNER.contains(&name) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (line, word, _) in part.path_starts() {
        if TECHNOLOGY.contains(&word) {
            let fix = "move SQL and HTTP into adapters; the use case asks for a port";
            problems.push(part.problem(line, format!("{name} names `{word}`"), fix));
        } else if name == "domain" && NOT_IN_DOMAIN.contains(&word) {
            let rule = format!("domain names `{word}`: the domain is plain Rust, without I/O or formats");
            problems.push(part.problem(line, rule, "move the DTO into api or adapters and convert"));
        }
    }
    problems
}
