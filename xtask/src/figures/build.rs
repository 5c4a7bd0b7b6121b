//! A timed build of the reference app.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, While as _};
use crate::figures::machine;
use crate::process;

const PACKAGE: &str = "dolmen-reference-app";

/// What a build took and gave.
pub(super) struct Build {
    pub(super) time: Duration,
    /// Processor time: what the build costs on any load.
    pub(super) processor: Duration,
    /// Packages that cargo compiled in this run.
    pub(super) crates: usize,
    pub(super) program: PathBuf,
    /// Bytes of the program.
    pub(super) size: u64,
}

impl Build {
    pub(super) fn run(source: &Path, target: &Path, arguments: &[&str]) -> Outcome<Self> {
        let mut command = process::cargo(source);
        command.args(["build", "--locked", "--package", PACKAGE]).args(arguments);
        command
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("CARGO_INCREMENTAL");
        let (start, before) = (Instant::now(), machine::time_of_children());
        let output = command.output().while_doing("start cargo")?;
        let (time, processor) = (start.elapsed(), machine::time_of_children().saturating_sub(before));
        if !output.status.success() {
            return Err(Failure::new(format!(
                "`{}` failed: {}",
                process::shown(&command),
                process::said(&output)
            )));
        }
        let profile = if arguments.contains(&"--release") { "release" } else { "debug" };
        let program = target.join(profile).join(PACKAGE);
        let size = fs::metadata(&program).while_doing(format!("look at {}", program.display()))?.len();
        Ok(Self {
            time,
            processor,
            crates: compiled(&String::from_utf8_lossy(&output.stderr)),
            program,
            size,
        })
    }
}

/// How many packages cargo says it compiled.
fn compiled(messages: &str) -> usize {
    messages.lines().filter(|line| line.trim_start().starts_with("Compiling ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_packages_are_counted() {
        let said =
            "  Downloaded x v1\n   Compiling a v1.0.0\n   Compiling b v2.0.0 (/b)\n    Finished `dev`\n";
        assert_eq!(compiled(said), 2);
    }
}
