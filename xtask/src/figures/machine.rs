//! What the figures were measured on; without it they mean nothing.

use std::fs;
use std::thread;
use std::time::Duration;

/// Linux counts processor time in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Cores and load of this machine.
pub(super) fn description() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{cores} cores, load {load} before the start, {}", std::env::consts::ARCH)
}

/// Processor time of all programs that this process started and that have ended; zero where `/proc` is missing.
///
/// On a busy machine it says more than the clock on the wall.
pub(super) fn time_of_children() -> Duration {
    TICK * ticks_of_children(&fs::read_to_string("/proc/self/stat").unwrap_or_default())
}

/// `cutime` and `cstime`, the 16th and 17th field; the second one is a name in brackets and may hold spaces.
fn ticks_of_children(stat: &str) -> u32 {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2);
    ticks.filter_map(|field| field.parse::<u32>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_of_children_are_added() {
        let stat = "1 (a b) S 4 5 6 7 8 9 10 11 12 13 14 15 1600 170 18 19";
        assert_eq!(ticks_of_children(stat), 1770);
        assert_eq!(ticks_of_children(""), 0);
    }
}
