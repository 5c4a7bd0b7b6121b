//! The servers that variables name.

use crate::failure::{Failure, Outcome};

pub(super) const POSTGRES: &str = "TEST_POSTGRES_URL";
/// Several URLs with a comma between them.
pub(super) const STANDBYS: &str = "TEST_POSTGRES_STANDBY_URLS";
pub(super) const MYSQL: &str = "TEST_MYSQL_URL";
pub(super) const PGBOUNCER: &str = "TEST_PGBOUNCER_URL";

/// What the variables say; a server that is given is used, and never stopped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) postgres: Option<String>,
    pub(super) standbys: Vec<String>,
    pub(super) mysql: Option<String>,
    pub(super) pgbouncer: Option<String>,
}

impl Given {
    /// Reads the variables; what stands before or behind a primary is of no use without that primary.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Outcome<Self> {
        let standbys = variable(STANDBYS).unwrap_or_default();
        let given = Self {
            postgres: variable(POSTGRES),
            standbys: standbys
                .split(',')
                .map(str::trim)
                .filter(|url| !url.is_empty())
                .map(str::to_owned)
                .collect(),
            mysql: variable(MYSQL),
            pgbouncer: variable(PGBOUNCER),
        };
        let lonely = match (&given.postgres, given.standbys.first(), &given.pgbouncer) {
            (None, Some(_), _) => STANDBYS,
            (None, _, Some(_)) => PGBOUNCER,
            _ => return Ok(given),
        };
        Err(Failure::new(format!(
            "{lonely} is set, but {POSTGRES} is not: set it to the primary, on which tests create their databases, \
             or unset {lonely}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Outcome<Given> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| *value);
        Given::read(|name| value(name).map(str::to_owned))
    }

    #[test]
    fn without_variables_nothing_is_given() {
        assert_eq!(read(&[]).expect("read"), Given::default());
    }

    #[test]
    fn standbys_are_separated_by_commas() {
        let given = read(&[(POSTGRES, "postgres://p"), (STANDBYS, "postgres://a, postgres://b,")]);
        assert_eq!(given.expect("read").standbys, ["postgres://a", "postgres://b"]);
    }

    #[test]
    fn what_belongs_to_an_unknown_primary_is_refused() {
        for lonely in [STANDBYS, PGBOUNCER] {
            let failure = read(&[(lonely, "postgres://x"), (MYSQL, "mysql://x")]).expect_err("refused");
            assert!(failure.to_string().starts_with(&format!("{lonely} is set, but")), "{failure}");
        }
    }
}
