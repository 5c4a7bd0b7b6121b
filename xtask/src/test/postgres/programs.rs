//! Finding PostgreSQL's programs on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// The folder that holds `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest version that Debian's packages installed, else the one on `PATH`.
    pub(super) fn find() -> Option<Self> {
        let on_path = process::find_program("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned()));
        versions_below(Path::new("/usr/lib/postgresql"))
            .into_iter()
            .chain(on_path)
            .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file()))
            .map(|folder| Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `postgres --version` says.
    pub(super) fn version(&self) -> String {
        let said = process::output_of(Command::new(self.folder.join("postgres")).arg("--version"));
        said.map_or_else(
            |_| "PostgreSQL".to_owned(),
            |text| text.trim().replace("postgres (PostgreSQL)", "PostgreSQL"),
        )
    }
}

/// `<folder>/<version>/bin` of each version, the newest first.
fn versions_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["9", "17", "15", "common"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        let found: Vec<_> = versions_below(folder.path())
            .iter()
            .map(|path| path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, ["17/bin", "15/bin", "9/bin"]);
    }
}
