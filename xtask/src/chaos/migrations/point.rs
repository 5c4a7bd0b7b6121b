//! Where a run is killed.

use crate::database::Server;
use crate::failure::{Failure, Outcome, While as _};

/// A statement of the twenty migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) migration: String,
    /// Its number in the migration, from 1.
    pub(super) number: usize,
    how: How,
}

/// How PostgreSQL runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Together,
    Apart,
    Concurrently,
}

impl Statement {
    /// Reads what the program lists: `0001_person 1 together`.
    pub(super) fn listed(text: &str) -> Outcome<Vec<Self>> {
        text.lines().map(Self::read).collect()
    }

    fn read(line: &str) -> Outcome<Self> {
        let mut words = line.split(' ');
        let (Some(migration), Some(number), Some(how)) = (words.next(), words.next(), words.next()) else {
            return Err(Failure::new(format!("the program lists {line:?}")));
        };
        let how = match how {
            "together" => How::Together,
            "apart" => How::Apart,
            "concurrently" => How::Concurrently,
            _ => return Err(Failure::new(format!("the program lists {line:?}"))),
        };
        let number = number.parse().while_doing(format!("read the number in {line:?}"))?;
        Ok(Self { migration: migration.to_owned(), number, how })
    }
}

/// A moment of a run. Numbers count the statements of all migrations, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// So many statements are done, and what follows is under way: the next one, the record, or the commit.
    After(usize),
    /// This one is done, and its record is under way.
    Unrecorded(usize),
    /// This one builds an index, and waits for somebody's transaction.
    Building(usize),
}

impl Point {
    /// Every point there is on a server.
    pub(super) fn all(server: &Server, statements: &[Statement]) -> Vec<Self> {
        let numbered = || statements.iter().enumerate().map(|(index, statement)| (index + 1, statement.how));
        let mut points = vec![Self::After(0)];
        for (number, how) in numbered() {
            // Only what is recorded by itself can be done without its record.
            let is_recorded = match server {
                Server::Sqlite => false,
                Server::Postgres(_) => how != How::Together,
                Server::Mysql(_) => true,
            };
            let is_built = matches!(server, Server::Postgres(_)) && how == How::Concurrently;
            points.extend(is_built.then_some(Self::Building(number)));
            points.extend(is_recorded.then_some(Self::Unrecorded(number)));
            points.push(Self::After(number));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::Point::{After, Building, Unrecorded};
    use super::*;

    #[test]
    fn every_statement_has_its_points() {
        let statements =
            Statement::listed("0001_a 1 together\n0002_b 1 apart\n0002_b 2 concurrently\n").unwrap();
        assert_eq!((statements[2].migration.as_str(), statements[2].number), ("0002_b", 2));
        let points = |server: Server| Point::all(&server, &statements);
        assert_eq!(points(Server::Sqlite), [After(0), After(1), After(2), After(3)]);
        assert_eq!(
            points(Server::Postgres(String::new())),
            [After(0), After(1), Unrecorded(2), After(2), Building(3), Unrecorded(3), After(3)]
        );
        assert_eq!(points(Server::Mysql(String::new())).len(), 7);
        assert!(Statement::listed("0001_a one together").is_err());
    }
}
