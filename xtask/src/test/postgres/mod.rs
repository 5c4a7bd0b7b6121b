//! The PostgreSQL server of a test run: given, found or installed.

mod installation;
mod programs;
mod server;

use crate::environment;
use crate::failure::{Failure, Outcome};

use self::programs::Programs;
use self::server::Server;

const WHAT_TO_DO: &str = "install PostgreSQL (Debian, Ubuntu: `apt-get install postgresql`; macOS: \
    `brew install postgresql`), or set TEST_POSTGRES_URL to a server whose user may create databases, \
    for example the one of `docker run --rm -p 5432:5432 -e POSTGRES_PASSWORD=test postgres:17`: \
    TEST_POSTGRES_URL=postgres://postgres:test@127.0.0.1:5432/postgres";

/// A server that tests may create databases on.
#[derive(Debug)]
pub(super) enum Postgres {
    /// Somebody else's: used, never stopped.
    Given { url: String },
    /// Ours: stopped when this value goes out of scope, or when this process ends in any way.
    Started(Server),
}

impl Postgres {
    /// Takes the server that the variable names, or starts one with local programs, installing them if it can.
    pub(super) fn find_or_start(variable: &str) -> Outcome<Self> {
        if let Some(url) = environment::variable(variable) {
            return Ok(Self::Given { url });
        }
        if let Some(programs) = Programs::find() {
            return Server::start(&programs).map(Self::Started);
        }
        installation::install()
            .map_err(|failure| Failure::new(format!("no PostgreSQL: {failure}; {WHAT_TO_DO}")))?;
        let programs = Programs::find().ok_or_else(|| {
            Failure::new(format!("apt-get installed postgresql, but there is no initdb; {WHAT_TO_DO}"))
        })?;
        Server::start(&programs).map(Self::Started)
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Self::Given { url } => url,
            Self::Started(server) => server.url(),
        }
    }

    /// Which server it is, without a password.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Given { url } => {
                let place = url.rsplit_once('@').map_or(url.as_str(), |(_, place)| place);
                format!("the one at {place}, from TEST_POSTGRES_URL")
            }
            Self::Started(server) => server.description(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_given_server_is_not_shown() {
        let given = Postgres::Given { url: "postgres://app:se@cret@db.example:5432/x".to_owned() };
        assert_eq!(given.description(), "the one at db.example:5432/x, from TEST_POSTGRES_URL");
    }
}
