//! Where the data of our servers lies.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Linux keeps it in memory.
const MEMORY: &str = "/dev/shm";
/// Less is left to others: a container may have 64 MiB of it.
const ROOM_KIB: u64 = 4 * 1024 * 1024;

/// For data that is made for a run and thrown away: in memory where there is room, since a new database is some hundred files.
pub(super) fn volatile() -> PathBuf {
    let said = process::output_of(Command::new("df").args(["-P", "-k", MEMORY])).unwrap_or_default();
    if is_memory_with_room(&said) { PathBuf::from(MEMORY) } else { durable() }
}

/// For data whose way to the disk is measured, or is to be real.
pub(super) fn durable() -> PathBuf {
    std::env::temp_dir()
}

/// `df -P -k` prints a file system, its size, what is used, what is free, the share, where it is mounted.
fn is_memory_with_room(said: &str) -> bool {
    let words: Vec<&str> = said.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    let [_, _, _, free, _, place] = words.as_slice() else { return false };
    Path::new(place) == Path::new(MEMORY) && free.parse().is_ok_and(|free: u64| free >= ROOM_KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_where_it_is_mounted_and_large_enough() {
        let of = |line: &str| {
            is_memory_with_room(&format!("Filesystem 1024-blocks Used Available Capacity Mounted on\n{line}"))
        };
        assert!(of("tmpfs 24690000 14000 24676000 1% /dev/shm"));
        assert!(!of("shm 65536 0 65536 0% /dev/shm"), "as containers have it");
        assert!(!of("/dev/vda 263174212 41943040 53477376 44% /"));
        assert!(!is_memory_with_room(""));
    }
}
