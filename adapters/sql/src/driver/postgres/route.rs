//! The way to the server: directly, or through a pooler.

use std::error::Error as _;
use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use crate::driver::gate::Gate;
use crate::driver::limits::within;

/// The oldest major version that the suites hold for.
const OLDEST_VERSION: u32 = 13;
/// A setting that means nothing to the server. Poolers in transaction mode do not hand on what a connection begins with:
/// PgBouncer refuses the setting, or is told to ignore it.
const MARK: &str = "dolmen.direct";
/// A violation of the protocol, as PgBouncer has it; something that is not supported, as the proxy of Amazon RDS has it.
const POOLERS_REFUSE_BY: [&str; 2] = ["08P01", "0A000"];
const READ_MARK: &str = "select coalesce(current_setting('dolmen.direct', true), '')";

/// The way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// A connection is one session of the server for as long as it lasts.
    Direct,
    /// Through a pooler in transaction mode: in each transaction the connection may be another session of the server.
    Pooled,
}

impl Route {
    pub(crate) fn of(pooled: bool) -> Self {
        if pooled { Self::Pooled } else { Self::Direct }
    }
}

/// Tries the server, for an error that says what is wrong: the pool would only say that it waited. Finds out the route
/// unless it is told.
pub(super) async fn probe(
    gate: &Gate,
    connect: &PgConnectOptions,
    told: Option<Route>,
    limit: Duration,
) -> PortResult<Route> {
    if let Some(route) = told {
        close(open(gate, connect, limit).await?).await;
        return Ok(route);
    }
    let marked = connect.clone().options([(MARK, "on")]);
    match open(gate, &marked, limit).await {
        Ok(mut connection) => {
            let row = within(limit, "connect", sqlx::raw_sql(READ_MARK).fetch_one(&mut connection)).await;
            let mark = row.map(|row| row.try_get::<String, _>(0).unwrap_or_default());
            close(connection).await;
            Ok(Route::of(mark? != "on"))
        }
        // What a pooler says to a setting that it cannot hand on. If something else was wrong, it is once more.
        Err(error) if is_refused_by_pooler(&error) => {
            close(open(gate, connect, limit).await?).await;
            Ok(Route::Pooled)
        }
        Err(error) => Err(error),
    }
}

async fn close(connection: PgConnection) {
    // It told what it was asked; how it ends is no news.
    drop(connection.close().await);
}

async fn open(gate: &Gate, connect: &PgConnectOptions, limit: Duration) -> PortResult<PgConnection> {
    let server = || format!("PostgreSQL at {}:{}", connect.get_host(), connect.get_port());
    let connection = gate.connect::<PgConnection>(connect, limit).await.map_err(|error| {
        let detail = match error.kind() {
            _ if gate.is_refused() => return error,
            ErrorKind::Unauthenticated => format!("{} refuses user or password", server()),
            ErrorKind::Timeout => format!("{} does not answer", server()),
            _ if is_refused_by_pooler(&error) && connect.get_options().is_some() => format!(
                "{} is behind a pooler, which refuses the URL's options; set them for the role instead, with \
                     `alter role .. set ..`",
                server()
            ),
            _ => format!("{} cannot be used; see the log for why", server()),
        };
        PortError::new(error.kind(), "database", "connect").with_detail(detail).with_source(error)
    })?;
    match connection.server_version_num() {
        Some(version) if version / 10_000 < OLDEST_VERSION => {
            Err(PortError::new(ErrorKind::Unsupported, "database", "connect").with_detail(format!(
                "PostgreSQL {}.{} found, {OLDEST_VERSION} or newer needed",
                version / 10_000,
                version % 10_000
            )))
        }
        _ => Ok(connection),
    }
}

/// Whether it reads like a pooler that did not take what the connection began with.
fn is_refused_by_pooler(error: &PortError) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() {
            return error.code().is_some_and(|code| POOLERS_REFUSE_BY.contains(&&*code));
        }
        cause = error.source();
    }
    false
}
