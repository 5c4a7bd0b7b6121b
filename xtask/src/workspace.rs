//! Where the repository and its build folder lie, and the files in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::environment;
use crate::failure::{Failure, Outcome, While as _};

/// The repository on this machine.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the repository that this program was built from.
    pub(crate) fn locate() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| Failure::new("the folder xtask/ has no parent: run xtask inside the repository"))?
            .to_owned();
        let target =
            environment::variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |t| root.join(t));
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The build folder; tools that xtask installs live in its `tools` folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Outcome<String> {
        let path = self.root.join(relative);
        fs::read_to_string(&path).while_doing(format!("read {}", path.display()))
    }

    /// Lists the files below a folder with this extension, sorted, relative to the root.
    ///
    /// Hidden folders and build folders are left out.
    pub(crate) fn files(&self, below: &str, extension: &str) -> Outcome<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.join(below)];
        while let Some(folder) = folders.pop() {
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&folder).while_doing(format!("list {}", folder.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    if !self.is_left_out(&path) {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|found| found == extension) {
                    found.push(self.relative(&path));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// A path as seen from the root of the repository.
    pub(crate) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    fn is_left_out(&self, folder: &Path) -> bool {
        let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        hidden
            || folder == self.target
            || folder == self.root.join("target")
            || folder == self.root.join("var")
    }
}
