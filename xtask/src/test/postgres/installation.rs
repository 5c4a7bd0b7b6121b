//! Installing PostgreSQL with apt on a machine that is ours alone: root on Debian or its children.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome, While as _};
use crate::process;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the distribution's package, without starting its server.
pub(super) fn install() -> Outcome<()> {
    if process::find_program("apt-get").is_none() {
        return Err(Failure::new("its programs are not on this machine, and there is no apt-get"));
    }
    if !is_root()? {
        return Err(Failure::new("its programs are not on this machine, and installing them needs root"));
    }
    println!("PostgreSQL: installing the package `postgresql` with apt-get");
    let _policy = NoServices::forbid()?;
    apt_get(&["update"])?;
    apt_get(&["install", "--yes", "--no-install-recommends", "postgresql"])
}

pub(super) fn is_root() -> Outcome<bool> {
    Ok(process::output_of(Command::new("id").arg("-u"))?.trim() == "0")
}

fn apt_get(arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("apt-get");
    // Another run beside us may hold dpkg's lock.
    command.args(["-qq", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    process::output_of(&mut command).map(drop)
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
