//! The servers of a test run: given by variables, or started with local programs, which are installed if need be.
//!
//! Each started one lies in a folder and on a port of its own, so that runs side by side do not meet, and ends with
//! xtask, in whatever way that ends.

mod disk;
mod given;
mod installation;
mod keeper;
mod mariadb;
mod own;
mod pgbouncer;
mod place;
mod postgres;
mod url;

use crate::environment;
use crate::failure::{Failure, Outcome};

pub(crate) use self::disk::SmallDisk;
use self::given::Given;
use self::keeper::Kept;
pub(crate) use self::own::{Engine, OwnServer};
pub(crate) use self::url::Target;

/// All variables that tell tests about servers.
pub(super) const VARIABLES: [&str; 4] = [given::POSTGRES, given::STANDBYS, given::MYSQL, given::PGBOUNCER];

/// One server.
#[derive(Debug)]
struct Server {
    url: String,
    description: String,
    /// Ours: stopped when this value goes out of scope.
    kept: Option<Kept>,
}

impl Server {
    fn given(url: String, variable: &str) -> Self {
        let description = format!("the one at {}, from {variable}", url::shown(&url));
        Self { url, description, kept: None }
    }

    fn started(kept: Kept, url: String, program: &str) -> Self {
        Self { url, description: format!("{program} {}", kept.place()), kept: Some(kept) }
    }
}

/// The servers of a run; dropping them stops those that are ours.
#[derive(Debug)]
pub(super) struct Servers {
    // In the order of their end: what is connected to the primary goes first.
    pgbouncer: Option<Server>,
    standbys: Vec<Server>,
    postgres: Server,
    mariadb: Server,
}

impl Servers {
    /// Takes the servers that variables name, and starts the others.
    pub(super) fn find_or_start() -> Outcome<Self> {
        Self::of(Given::read(environment::variable)?)
    }

    fn of(given: Given) -> Outcome<Self> {
        let before_given = given.postgres.as_deref().map(Target::of);
        let may_start_pgbouncer = given.pgbouncer.is_none() && before_given != Some(None);
        let required = [
            (&postgres::REQUIREMENT, given.postgres.is_none()),
            (&mariadb::REQUIREMENT, given.mysql.is_none()),
            (&pgbouncer::REQUIREMENT, may_start_pgbouncer),
        ];
        let required: Vec<_> =
            required.into_iter().filter_map(|(one, needed)| needed.then_some(one)).collect();
        installation::provide(&required)?;

        let (postgres, mariadb) = both(|| primary(given.postgres), || mariadb_server(given.mysql))?;
        let (pgbouncer, standbys) =
            both(|| pgbouncer_before(&postgres, given.pgbouncer), || standbys_of(&postgres, given.standbys))?;
        Ok(Self { pgbouncer, standbys, postgres, mariadb })
    }

    /// The variables to set for the tests; one without a server is absent.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let standbys: Vec<&str> = self.standbys.iter().map(|standby| standby.url.as_str()).collect();
        let mut variables =
            vec![(given::POSTGRES, self.postgres.url.clone()), (given::MYSQL, self.mariadb.url.clone())];
        if !standbys.is_empty() {
            variables.push((given::STANDBYS, standbys.join(",")));
        }
        variables.extend(self.pgbouncer.iter().map(|server| (given::PGBOUNCER, server.url.clone())));
        variables
    }

    /// Which server is which, without passwords, and why one is not there; a line each.
    pub(super) fn described(&self) -> Vec<String> {
        let mut lines = vec![format!("PostgreSQL: {}", self.postgres.description)];
        lines.extend(self.standbys.iter().map(|standby| format!("  standby: {}", standby.description)));
        if self.standbys.is_empty() {
            lines.push(format!(
                "  standby: none, since a server of {} is not ours to copy; set {} to its standbys to test with them",
                given::POSTGRES,
                given::STANDBYS
            ));
        }
        lines.push(match &self.pgbouncer {
            Some(pgbouncer) => format!("PgBouncer: {}", pgbouncer.description),
            None => format!(
                "PgBouncer: none, since {} is more than postgres://user:password@host:port/database; set {} to a \
                 PgBouncer before it to test with one",
                given::POSTGRES,
                given::PGBOUNCER
            ),
        });
        lines.push(format!("MariaDB: {}", self.mariadb.description));
        lines
    }
}

fn primary(given: Option<String>) -> Outcome<Server> {
    match given {
        Some(url) => Ok(Server::given(url, given::POSTGRES)),
        None => postgres::Programs::find().ok_or_else(|| postgres::REQUIREMENT.is_missing())?.start_primary(),
    }
}

fn mariadb_server(given: Option<String>) -> Outcome<Server> {
    match given {
        Some(url) => Ok(Server::given(url, given::MYSQL)),
        None => mariadb::Programs::find().ok_or_else(|| mariadb::REQUIREMENT.is_missing())?.start(),
    }
}

/// The standbys that are given, or two of a primary that is ours.
fn standbys_of(primary: &Server, given: Vec<String>) -> Outcome<Vec<Server>> {
    if !given.is_empty() {
        return Ok(given.into_iter().map(|url| Server::given(url, given::STANDBYS)).collect());
    }
    let Some(kept) = &primary.kept else { return Ok(Vec::new()) };
    let programs = postgres::Programs::find().ok_or_else(|| postgres::REQUIREMENT.is_missing())?;
    let (one, two) = both(|| programs.start_standby(kept.port()), || programs.start_standby(kept.port()))?;
    Ok(vec![one, two])
}

/// The PgBouncer that is given, or one of ours; none before a server whose URL says more than PgBouncer can be told.
fn pgbouncer_before(primary: &Server, given: Option<String>) -> Outcome<Option<Server>> {
    if let Some(url) = given {
        return Ok(Some(Server::given(url, given::PGBOUNCER)));
    }
    let Some(target) = Target::of(&primary.url) else { return Ok(None) };
    let program = pgbouncer::find().ok_or_else(|| pgbouncer::REQUIREMENT.is_missing())?;
    pgbouncer::start(&program, &target).map(Some)
}

/// Does two things at a time.
fn both<A: Send, B>(
    first: impl FnOnce() -> Outcome<A> + Send,
    second: impl FnOnce() -> Outcome<B>,
) -> Outcome<(A, B)> {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().unwrap_or_else(|_| Err(Failure::new("a server's start ended early")));
        Ok((first?, second?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if nothing had to be started.
    fn all_given(postgres: &str) -> Given {
        Given {
            postgres: Some(postgres.to_owned()),
            mysql: Some("mysql://root:secret@db.example/mysql".to_owned()),
            ..Given::default()
        }
    }

    #[test]
    fn servers_that_are_given_are_passed_on_as_they_are() {
        let standbys = vec!["postgres://a:secret@one/x".to_owned(), "postgres://a:secret@two/x".to_owned()];
        let pgbouncer = Some("postgres://a:secret@bouncer:6432/x".to_owned());
        let given = Given { standbys, pgbouncer, ..all_given("postgres://a:secret@db.example/x") };
        let servers = Servers::of(given).expect("servers");
        let expected = [
            ("TEST_POSTGRES_URL", "postgres://a:secret@db.example/x"),
            ("TEST_MYSQL_URL", "mysql://root:secret@db.example/mysql"),
            ("TEST_POSTGRES_STANDBY_URLS", "postgres://a:secret@one/x,postgres://a:secret@two/x"),
            ("TEST_PGBOUNCER_URL", "postgres://a:secret@bouncer:6432/x"),
        ];
        assert_eq!(servers.variables(), expected.map(|(name, value)| (name, value.to_owned())));
        let described = servers.described();
        assert!(!described.concat().contains("secret"), "{described:?}");
        assert_eq!(described.len(), 5);
    }

    #[test]
    fn what_a_given_server_cannot_have_is_said_and_not_passed_on() {
        let servers = Servers::of(all_given("postgres://a@db.example/x?sslmode=require")).expect("servers");
        let names: Vec<_> = servers.variables().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["TEST_POSTGRES_URL", "TEST_MYSQL_URL"]);
        let described = servers.described().join("\n");
        assert!(described.contains("set TEST_POSTGRES_STANDBY_URLS"), "{described}");
        assert!(described.contains("set TEST_PGBOUNCER_URL"), "{described}");
    }
}
