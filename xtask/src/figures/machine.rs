//! What the figures were measured on; without it they mean nothing.

use std::fs;
use std::thread;

/// Cores and load of this machine.
pub(super) fn description() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{cores} cores, load {load} before the start, {}", std::env::consts::ARCH)
}
