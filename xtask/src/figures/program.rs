//! Starting the reference app and looking at it from outside.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::reference_app::ReferenceApp;

const SETTLE: Duration = Duration::from_secs(3);

/// One start of the program.
pub(super) struct Start {
    /// From the start of the process until `/readyz` says 200.
    pub(super) ready: Duration,
    /// Resident memory a few seconds later, in bytes.
    pub(super) memory: u64,
}

impl Start {
    /// Starts the program on a data folder, waits until it is ready and idle, and stops it with SIGTERM.
    pub(super) fn measure(program: &Path, folder: &Path) -> Outcome<Self> {
        let start = Instant::now();
        let mut app = ReferenceApp::start(program, folder)?;
        app.wait_until_ready()?;
        let ready = start.elapsed();
        process::pause(SETTLE);
        let memory = resident(app.process())?;
        app.stop()?;
        Ok(Self { ready, memory })
    }
}

fn resident(process: u32) -> Outcome<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).while_doing(format!("read {path} (Linux only)"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|size| size * 1024).ok_or_else(|| Failure::new(format!("{path} has no VmRSS")))
}
