//! The few environment variables that xtask reads.

/// Reads a variable; empty counts as absent.
#[expect(clippy::disallowed_methods, reason = "xtask is a development tool without dolmen's configuration")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Names the variables that `cargo run` sets for the program it starts.
///
/// Build scripts that watch them (ring's does) would be rebuilt when a cargo started by xtask inherits them.
pub(crate) fn set_by_cargo_run() -> Vec<String> {
    let is_set_by_cargo = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
            || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "LD_LIBRARY_PATH"].contains(&name)
    };
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| is_set_by_cargo(name))
        .collect()
}
