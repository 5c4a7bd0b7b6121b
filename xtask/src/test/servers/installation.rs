//! Installing servers with apt on a machine that is ours alone: root on Debian or its children.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::apt;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Held while a run installs, so that no other run takes the policy away under it.
const LOCK: &str = "/run/dolmen-servers.lock";

/// A server whose programs a run needs.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) name: &'static str,
    /// The distribution's package.
    pub(super) package: &'static str,
    pub(super) is_there: fn() -> bool,
    /// For the person whose machine does not have it.
    pub(super) what_to_do: &'static str,
}

impl Requirement {
    pub(super) fn is_missing(&self) -> Failure {
        Failure::new(format!("no {}: its programs are not on this machine; {}", self.name, self.what_to_do))
    }
}

/// Installs the packages of those that are missing, in one go and without starting their servers.
pub(super) fn provide(requirements: &[&Requirement]) -> Outcome<()> {
    if missing(requirements).is_empty() {
        return Ok(());
    }
    let installed = install(requirements);
    let missing = missing(requirements);
    let Some(first) = missing.first() else { return Ok(()) };
    let names = missing.iter().map(|missing| missing.name).collect::<Vec<_>>().join(", no ");
    let why = match installed {
        Ok(()) => format!("apt-get installed {}, but its programs are not found", first.package),
        Err(failure) => failure.to_string(),
    };
    let what_to_do: String = missing.iter().flat_map(|missing| ["\n  ", missing.what_to_do]).collect();
    Err(Failure::new(format!("no {names}: {why}{what_to_do}")))
}

fn missing<'a>(requirements: &[&'a Requirement]) -> Vec<&'a Requirement> {
    requirements.iter().copied().filter(|requirement| !(requirement.is_there)()).collect()
}

fn install(requirements: &[&Requirement]) -> Outcome<()> {
    apt::must_be_possible()?;
    let lock = File::create(LOCK).while_doing(format!("create {LOCK}"))?;
    lock.lock().while_doing(format!("lock {LOCK}"))?;
    // The run that held the lock before us may have installed them.
    let packages: Vec<_> = missing(requirements).iter().map(|missing| missing.package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let _policy = NoServices::forbid()?;
    apt::install(&packages)
}

/// Finds a program on `PATH`, or where Debian puts servers, which is on the `PATH` of root alone.
pub(super) fn find_server_program(name: &str) -> Option<PathBuf> {
    let beside_path = Path::new("/usr/sbin").join(name);
    process::find_program(name).or_else(|| beside_path.is_file().then_some(beside_path))
}

/// While this lives, packages do not start their services (Debian's own convention, `invoke-rc.d`).
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn forbid() -> Outcome<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { is_ours: false });
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(POLICY)
            .while_doing(format!("write {POLICY}"))?;
        file.write_all(b"#!/bin/sh\nexit 101\n").while_doing(format!("write {POLICY}"))?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("could not remove {POLICY}: {error}; remove it, or no package will start its service");
        }
    }
}
