//! A copy of the repository with empty build folders, as after a clone.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::failure::{Outcome, While as _};
use crate::figures::build::Build;
use crate::process;
use crate::workspace::Workspace;

/// The copy; it is removed with its build folders when it goes out of scope.
pub(super) struct FreshCopy {
    folder: TempDir,
}

impl FreshCopy {
    /// Copies what git tracks or would track, so that the figures belong to the files as they are now.
    pub(super) fn of(workspace: &Workspace) -> Outcome<Self> {
        fs::create_dir_all(workspace.target())?;
        let folder = tempfile::Builder::new().prefix("figures-").tempdir_in(workspace.target())?;
        let mut list = Command::new("git");
        list.current_dir(workspace.root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
        for file in process::output_of(&mut list)?.lines() {
            copy_file(&workspace.root().join(file), &folder.path().join("source").join(file))?;
        }
        Ok(Self { folder })
    }

    /// Builds the reference app in the build folder of this name.
    pub(super) fn build(&self, target: &str, arguments: &[&str]) -> Outcome<Build> {
        Build::run(&self.folder.path().join("source"), &self.folder.path().join(target), arguments)
    }

    /// Adds a line that changes what the crate offers, so that everything above it is built again.
    pub(super) fn change_one_line(&self, file: &str) -> Outcome<()> {
        let path = self.folder.path().join("source").join(file);
        let mut file =
            OpenOptions::new().append(true).open(&path).while_doing(format!("change {}", path.display()))?;
        file.write_all(
            b"/// Measures a rebuild.\npub const fn rebuilt(input: u64) -> u64 { input.wrapping_mul(3) }\n",
        )?;
        Ok(())
    }
}

fn copy_file(from: &Path, to: &Path) -> Outcome<()> {
    if !from.is_file() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).while_doing(format!("copy {}", from.display())).map(drop)
}
