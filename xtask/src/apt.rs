//! Packages of Debian, on a machine that is ours alone: root on Debian or its children.

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;

/// Fails where packages cannot be installed, and says why.
pub(crate) fn must_be_possible() -> Outcome<()> {
    if process::find_program("apt-get").is_none() {
        return Err(Failure::new("programs are not on this machine, and there is no apt-get"));
    }
    if !is_root()? {
        return Err(Failure::new("programs are not on this machine, and installing them needs root"));
    }
    Ok(())
}

/// Installs packages of the distribution.
pub(crate) fn install(packages: &[&str]) -> Outcome<()> {
    must_be_possible()?;
    println!("installing with apt-get: {}", packages.join(", "));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

pub(crate) fn is_root() -> Outcome<bool> {
    Ok(process::output_of(Command::new("id").arg("-u"))?.trim() == "0")
}

fn apt_get(arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("apt-get");
    // Another run beside us may hold dpkg's lock.
    command.args(["-qq", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    process::output_of(&mut command).map(drop)
}
