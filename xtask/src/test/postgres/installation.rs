//! Installing PostgreSQL with apt on a machine that is ours alone: root on Debian or its children.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::apt;
use crate::failure::{Outcome, While as _};

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the distribution's package, without starting its server.
pub(super) fn install() -> Outcome<()> {
    apt::must_be_possible()?;
    let _policy = NoServices::forbid()?;
    apt::install("postgresql")
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
