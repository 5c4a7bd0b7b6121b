//! How transactions begin.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::route::Route;
use crate::driver::Mode;

/// Not `read write`: a replica would refuse it.
const SINGLE: &str = "begin isolation level read committed";

/// What begins a transaction on a connection that is one session of the server; nothing for single statements.
pub(super) const fn direct(mode: Mode) -> Option<&'static str> {
    match mode {
        // One state of the data for all statements.
        Mode::Read => Some("begin isolation level repeatable read read only"),
        Mode::Write => Some("begin isolation level read committed read write"),
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
        let Some(limit) = &self.limit else { return direct(mode).map(SqlStr::from_static) };
        let begin = direct(mode).unwrap_or(SINGLE);
        Some(AssertSqlSafe(format!("{begin}; {}", limit.as_str())).into_sql_str())
    }
}
