//! The stage of F4: for each point a database of its own, a victim, and the run after it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::chaos::patience::until;
use crate::chaos::programs::Programs;
use crate::chaos::victim::Victim;
use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::process;

use super::findings::Ending;
use super::point::{Point, Statement};

const WITHIN: Duration = Duration::from_mins(1);

/// What the advice says: undo by hand what a killed process did. The statement, and what undoes it.
const UNDONE_BY_HAND: [(&str, &str); 2] = [
    ("alter table steps_city rename to steps_town", "alter table steps_town rename to steps_city"),
    ("rename column amount to quantity", "alter table steps_stock rename column quantity to amount"),
];
/// Stops the record of a statement until somebody ends it.
const BRAKE: &str = "steps_brake";

pub(super) struct Scene {
    program: PathBuf,
    server: Server,
    /// What the names of its databases begin with.
    prefix: String,
    folder: TempDir,
    sabotaged: bool,
}

/// A database and its name.
struct Place {
    name: String,
    url: String,
    folder: TempDir,
}

impl Place {
    /// Made on SQLite when the victim hangs.
    fn mark(&self) -> PathBuf {
        self.folder.path().join("mark")
    }
}

impl Scene {
    pub(super) fn set(programs: &Programs, server: &Server, seed: u64, sabotaged: bool) -> Outcome<Self> {
        Ok(Self {
            program: programs.chaos.clone(),
            server: server.clone(),
            prefix: format!("dolmen_f4_{}_{seed}", std::process::id()),
            folder: tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?,
            sabotaged,
        })
    }

    /// The statements, as the program lists them.
    pub(super) fn list(&self) -> Outcome<String> {
        process::output_of(Command::new(&self.program).args(["sqlite::memory:", "list-steps"]))
    }

    /// What a run leaves that nobody kills.
    pub(super) fn clean_run(&self) -> Outcome<String> {
        let place = self.new_place("clean")?;
        self.command(&place, &["steps"])?;
        let schema = self.command(&place, &["schema"])?;
        self.server.drop_database(&place.name)?;
        Ok(schema)
    }

    /// Kills a run at a point, and sees what the next one does.
    pub(super) fn play(&self, point: &Point, statements: &[Statement], expected: &str) -> Outcome<Ending> {
        let name = format!("{point:?}").replace(['(', ')'], "_").to_lowercase();
        let place = self.new_place(&name)?;
        let ending = self.kill(&place, point, statements).and_then(|()| self.ending(&place, expected));
        self.server.drop_database(&place.name)?;
        ending
    }

    fn kill(&self, place: &Place, point: &Point, statements: &[Statement]) -> Outcome<()> {
        match point {
            Point::After(number) => self.kill_after(place, *number),
            Point::Unrecorded(number) => self.kill_unrecorded(place, statement(statements, *number)?),
            Point::Building(number) => self.kill_building(place, *number),
        }
    }

    fn kill_after(&self, place: &Place, number: usize) -> Outcome<()> {
        let mark = place.mark();
        let mut arguments = vec!["--hang-after".to_owned(), number.to_string(), "--mark".to_owned()];
        arguments.push(mark.display().to_string());
        arguments.extend(self.sabotaged.then(|| "--record-apart".to_owned()));
        let mut victim = self.start(place, &arguments)?;
        until(WITHIN, "the run to hang", || {
            victim.must_run()?;
            self.hangs(place)
        })?;
        victim.kill()?;
        self.end_sessions(place)
    }

    fn kill_unrecorded(&self, place: &Place, statement: &Statement) -> Outcome<()> {
        // The table of what is recorded is there from the first run on.
        self.command(place, &["migrate"])?;
        let Statement { migration, number, .. } = statement;
        let reached =
            format!("new.name = '{migration}' and new.committed = {number} and old.committed < {number}");
        let brake = match self.server {
            Server::Mysql(_) => format!(
                "create trigger {BRAKE} before update on dolmen_migration_progress for each row \
                 set new.in_doubt = if({reached}, sleep(600), new.in_doubt)"
            ),
            _ => format!(
                "create function {BRAKE}() returns trigger language plpgsql as $$ begin if {reached} then \
                 perform pg_sleep(600); end if; return new; end $$; create trigger {BRAKE} before update on \
                 dolmen_migration_progress for each row execute function {BRAKE}()"
            ),
        };
        self.server.ask(&place.name, &brake)?;
        let sabotage: Vec<String> = self.sabotaged.then(|| "--record-apart".to_owned()).into_iter().collect();
        let mut victim = self.start(place, &sabotage)?;
        until(WITHIN, "the record to wait", || {
            victim.must_run()?;
            self.hangs(place)
        })?;
        victim.kill()?;
        self.end_sessions(place)?;
        let release = match self.server {
            Server::Mysql(_) => format!("drop trigger {BRAKE}"),
            _ => format!("drop function {BRAKE} cascade"),
        };
        self.server.ask(&place.name, &release).map(drop)
    }

    /// The index waits for a transaction that might still use its table; the server's process is ended like the program's, so
    /// that it cannot go on alone.
    fn kill_building(&self, place: &Place, number: usize) -> Outcome<()> {
        self.kill_after(place, number.saturating_sub(1))?;
        let Server::Postgres(_) = self.server else { return Ok(()) };
        let mut holder = Command::new("psql");
        holder.args(["--quiet", "--no-psqlrc", &place.url, "--command"]);
        holder.arg("begin; update steps_person set id = id; select pg_sleep(600)");
        let mut holder = Victim::start(holder, &self.log(place))?;
        until(WITHIN, "a transaction to hold the table", || self.hangs(place))?;
        let mut victim = self.start(place, &[])?;
        until(WITHIN, "the index to wait", || {
            victim.must_run()?;
            let waiting = "select count(*) from pg_stat_activity where datname = current_database() \
                 and wait_event_type = 'Lock' and query like '%index concurrently%'";
            Ok((self.server.ask(&place.name, waiting)?.trim() != "0").then_some(()))
        })?;
        victim.kill()?;
        let builder = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%index concurrently%' \
             and datname = current_database() and pid <> pg_backend_pid()";
        self.server.ask(&place.name, builder)?;
        holder.kill()?;
        self.end_sessions(place)
    }

    /// Runs again, and does what a run that stops says.
    fn ending(&self, place: &Place, expected: &str) -> Outcome<Ending> {
        let again = self.again(place)?;
        let mut ending = Ending::Converged;
        if !again.status.success() {
            let said = process::said(&again);
            let Some(undo) = advice(&said) else { return Ok(Ending::Lost(said)) };
            self.server.ask(&place.name, undo)?;
            ending = Ending::Advised;
            let again = self.again(place)?;
            if !again.status.success() {
                return Ok(Ending::Lost(format!("the advice did not help: {}", process::said(&again))));
            }
        }
        let schema = self.command(place, &["schema"])?;
        Ok(if schema == expected { ending } else { Ending::Lost(difference(expected, &schema)) })
    }

    fn again(&self, place: &Place) -> Outcome<Output> {
        Ok(Command::new(&self.program).arg(&place.url).arg("steps").output()?)
    }

    /// Whether the victim does nothing any more but hang.
    fn hangs(&self, place: &Place) -> Outcome<Option<()>> {
        let sleeping = match self.server {
            Server::Sqlite => return Ok(place.mark().exists().then_some(())),
            Server::Postgres(_) => {
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
            }
            Server::Mysql(_) => {
                "select count(*) from information_schema.processlist where db = database() and state = 'User sleep'"
            }
        };
        Ok((self.server.ask(&place.name, sleeping)?.trim() != "0").then_some(()))
    }

    /// Has the server notice that its clients are gone: a statement that sleeps would not.
    fn end_sessions(&self, place: &Place) -> Outcome<()> {
        let (others, end): (_, fn(&str) -> String) = match self.server {
            Server::Sqlite => return Ok(()),
            Server::Postgres(_) => (
                "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
                |id| format!("select pg_terminate_backend({id})"),
            ),
            Server::Mysql(_) => (
                "select id from information_schema.processlist where db = database() and id <> connection_id()",
                |id| format!("kill {id}"),
            ),
        };
        until(WITHIN, "sessions to end", || {
            let left = self.server.ask(&place.name, others)?;
            for id in left.lines() {
                // It may have ended by itself meanwhile.
                drop(self.server.ask(&place.name, &end(id)));
            }
            Ok(left.trim().is_empty().then_some(()))
        })
    }

    fn start(&self, place: &Place, arguments: &[String]) -> Outcome<Victim> {
        let mut command = Command::new(&self.program);
        command.arg(&place.url).arg("steps").args(arguments);
        Victim::start(command, &self.log(place))
    }

    fn log(&self, place: &Place) -> PathBuf {
        self.folder.path().join(format!("{}.log", place.name))
    }

    fn command(&self, place: &Place, arguments: &[&str]) -> Outcome<String> {
        process::output_of(Command::new(&self.program).arg(&place.url).args(arguments))
    }

    fn new_place(&self, name: &str) -> Outcome<Place> {
        let folder = tempfile::Builder::new().prefix("place-").tempdir_in(self.folder.path())?;
        let name = format!("{}_{name}", self.prefix);
        let url = self.server.new_database(Path::new(folder.path()), &name)?;
        Ok(Place { name, url, folder })
    }
}

fn statement(statements: &[Statement], number: usize) -> Outcome<&Statement> {
    let found = number.checked_sub(1).and_then(|index| statements.get(index));
    found.ok_or_else(|| Failure::new(format!("there is no statement {number}")))
}

/// What to do, when the program says that it is to be undone by hand, and which statement.
fn advice(said: &str) -> Option<&'static str> {
    let is_advice = said.contains(
        "an earlier run was cut off or failed while it ran: if its change is there, undo it by hand",
    ) && said.contains("run migrate again")
        && ["migrate/failed: migration steps/", "migrate/half-applied: migration steps/"]
            .iter()
            .any(|code| said.contains(code));
    let (_, undo) =
        UNDONE_BY_HAND.iter().find(|(statement, _)| said.contains(statement)).filter(|_| is_advice)?;
    Some(undo)
}

/// The first line that only one of the two has.
fn difference(expected: &str, found: &str) -> String {
    let only_in = |one: &str, other: &str| {
        one.lines().find(|line| !other.lines().any(|o| o == *line)).map(str::to_owned)
    };
    let missing = only_in(expected, found).unwrap_or_default();
    let extra = only_in(found, expected).unwrap_or_default();
    format!("missing {missing:?}, instead {extra:?}")
}
