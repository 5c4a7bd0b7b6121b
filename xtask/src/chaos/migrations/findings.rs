//! The figures of F4.

use std::fmt;

use crate::chaos::verdict::{Verdict, some};
use crate::database::Server;

use super::point::Point;

/// How much of what a program said is shown.
const LONGEST: usize = 240;

/// What the next run did after a kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It got to the end, and what it left is what a run leaves that nobody killed.
    Converged,
    /// It stopped and said what to do; then it got to the end.
    Advised,
    /// Anything else.
    Lost(String),
}

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    statements: usize,
    points: usize,
    played: usize,
    converged: usize,
    advised: Vec<String>,
    lost: Vec<String>,
    seed: u64,
    pub(super) seconds: f32,
}

impl Findings {
    pub(super) fn new(statements: usize, points: usize, seed: u64) -> Self {
        let (advised, lost) = (Vec::new(), Vec::new());
        Self { statements, points, played: 0, converged: 0, advised, lost, seed, seconds: 0.0 }
    }

    pub(super) fn note(&mut self, point: &Point, ending: Ending) {
        self.played += 1;
        match ending {
            Ending::Converged => self.converged += 1,
            Ending::Advised => self.advised.push(format!("{point:?}")),
            Ending::Lost(why) => {
                let why: String = why.chars().take(LONGEST).collect();
                self.lost.push(format!("{point:?}: {why}"));
            }
        }
    }

    /// What makes the run red.
    pub(super) fn verdict(&self, server: &Server) -> Verdict {
        let mut verdict = Verdict::default();
        verdict
            .promise(self.lost.is_empty(), || format!("not the schema of a clean run: {}", some(&self.lost)));
        let may_stop = matches!(server, Server::Mysql(_));
        verdict.promise(may_stop || self.advised.is_empty(), || {
            format!("stopped, though it has transactions: {}", some(&self.advised))
        });
        verdict.expect(self.played > 0 && self.points > self.statements, || "points are missing".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "20 migrations, {} statements, {} of {} kill points, {} converged, {} stopped with advice that worked, {} \
             lost, seed {}, {:.0} s",
            self.statements,
            self.played,
            self.points,
            self.converged,
            self.advised.len(),
            self.lost.len(),
            self.seed,
            self.seconds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_without_transactions_for_its_schema_may_stop() {
        let mut findings = Findings::new(1, 2, 7);
        findings.note(&Point::After(1), Ending::Advised);
        assert!(findings.verdict(&Server::Mysql(String::new())).is_green());
        assert!(findings.verdict(&Server::Sqlite).broke_a_promise());
        findings.note(&Point::After(0), Ending::Lost("gone".to_owned()));
        assert!(findings.verdict(&Server::Mysql(String::new())).broke_a_promise());
        assert!(!Findings::new(1, 2, 7).verdict(&Server::Sqlite).is_green(), "nothing was played");
    }
}
