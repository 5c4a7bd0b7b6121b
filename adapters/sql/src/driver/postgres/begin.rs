//! How transactions begin.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::route::Route;
use crate::driver::Mode;

/// Not `read write`: a replica would refuse it.
const SINGLE: &str = "begin isolation level read committed";

/// One state of the data for all statements.
const READ: &str = "begin isolation level repeatable read read only";
const WRITE: &str = "begin isolation level read committed read write";

/// What begins a transaction on a connection that is one session of the server; nothing for single statements.
pub(super) const fn direct(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Read => Some(READ),
        Mode::Write => Some(WRITE),
        Mode::Single => None,
    }
}

/// The messages that begin the transactions of a route.
#[derive(Debug, Clone)]
pub(crate) struct Begin {
    route: Route,
    /// How long one waits for a lock, said with each begin: a pooler does not keep what its connections are told.
    limit: Option<SqlStr>,
}

impl Begin {
    pub(super) fn new(route: Route, lock_timeout: Duration) -> Self {
        let millis = lock_timeout.as_millis().max(1);
        let limit = AssertSqlSafe(format!("set local lock_timeout = {millis}")).into_sql_str();
        Self { route, limit: (route == Route::Pooled).then_some(limit) }
    }

    pub(super) fn route(&self) -> Route {
        self.route
    }

    /// Begins; single statements do so only behind a pooler, where parsing one and running it are two messages, and between
    /// them the pooler may turn to another session of the server.
    pub(super) fn of(&self, mode: Mode) -> Option<SqlStr> {
        match direct(mode) {
            None if self.route == Route::Direct => None,
            begin => Some(self.limited(begin.unwrap_or(SINGLE))),
        }
    }

    /// Begins a read.
    pub(super) fn read(&self) -> SqlStr {
        self.limited(READ)
    }

    fn limited(&self, begin: &'static str) -> SqlStr {
        match &self.limit {
            None => SqlStr::from_static(begin),
            Some(limit) => AssertSqlSafe(format!("{begin}; {}", limit.as_str())).into_sql_str(),
        }
    }
}
