//! Which servers will do.

use dolmen_ports::{ErrorKind, PortError, PortResult};

/// The oldest MariaDB: `skip locked` and schema changes that a crash does not tear apart came with it.
const OLDEST_MARIADB: Version = (10, 6, 0);
/// The oldest MySQL: its collation that compares texts exactly came with it.
const OLDEST_MYSQL: Version = (8, 0, 17);

type Version = (u32, u32, u32);

/// Refuses a server that is too old, by what it says of itself.
pub(super) fn check(text: &str) -> PortResult<()> {
    let (name, oldest) = if is_mariadb(text) { ("MariaDB", OLDEST_MARIADB) } else { ("MySQL", OLDEST_MYSQL) };
    let found = parse(text);
    if found >= oldest {
        return Ok(());
    }
    let shown = |(major, minor, patch): Version| format!("{major}.{minor}.{patch}");
    Err(PortError::new(ErrorKind::Unsupported, "database", "connect").with_detail(format!(
        "{name} {} found, {} or newer needed",
        shown(found),
        shown(oldest)
    )))
}

/// Whether a server says that it is MariaDB.
pub(super) fn is_mariadb(text: &str) -> bool {
    text.to_ascii_lowercase().contains("mariadb")
}

/// The three numbers at the front; zero where there is none. Some servers of the family put `5.5.5-` before their own.
fn parse(text: &str) -> Version {
    let text = text.strip_prefix("5.5.5-").unwrap_or(text);
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_told_what_is_needed() {
        for sound in
            ["10.11.19-MariaDB-0+deb12u1", "5.5.5-10.6.0-MariaDB", "11.4.2-MariaDB-log", "8.0.17", "9.1.0"]
        {
            assert!(check(sound).is_ok(), "{sound}");
        }
        let error = check("10.5.26-MariaDB").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("MariaDB 10.5.26 found, 10.6.0 or newer needed"), "{error}");
        for old in ["5.7.44-log", "8.0.11-TiDB-v7.5.0", "8.0.16", ""] {
            assert!(check(old).unwrap_err().to_string().contains("8.0.17"), "{old}");
        }
    }
}
