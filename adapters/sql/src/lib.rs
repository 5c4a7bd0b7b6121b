//! Dolmen on SQL databases: SQLite (feature `sqlite`, the default), PostgreSQL (feature `postgres`), MariaDB and
//! MySQL (feature `mysql`).
//!
//! For those who wire a program: [`SqlDatabase`] opens a `DATABASE_URL`. For those who write a module's repository: [`sql!`] is SQL that is
//! written once, checked by the compiler, and cannot touch the tables of another module. The crate knows the
//! ports and nothing of core, HTTP or any module.
//!
//! # Examples
//! ```
//! use dolmen_ports::{Database, PortResult, WriteTx};
//! use dolmen_sql::{SqlDatabase, SqlOptions, sql};
//!
//! async fn count(tx: &mut WriteTx) -> PortResult<i64> {
//!     let (count,) = sql!("select count(*) from dolmen_sql_note where done = ?", false).fetch_one(tx).await?;
//!     Ok(count)
//! }
//!
//! async fn open() -> PortResult<Database> {
//!     Ok(Database::new(SqlDatabase::connect("sqlite:var/app.db", SqlOptions::new()).await?))
//! }
//! ```
#![cfg_attr(
    not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
    expect(
        dead_code,
        unused_imports,
        unused_variables,
        clippy::unused_async,
        reason = "without a driver nothing opens a session; the crate still has to compile"
    )
)]

mod audit;
mod database;
mod driver;
mod error;
mod health;
mod inbox;
mod jobs;
mod migrate;
mod native;
mod ports;
#[cfg(doctest)]
mod refused;
mod replicas;
mod schedules;
mod sessions;
pub mod statement;
#[cfg(feature = "statements-test")]
pub mod statements_test;
#[cfg(feature = "test-database")]
pub mod test_database;

pub use audit::SqlAuditLog;
pub use database::{DatabaseUrl, DatabaseUrlError, SqlDatabase, SqlOptions, SqlTx};
pub use error::map_error;
pub use health::SqlHealth;
pub use inbox::SqlInbox;
pub use jobs::{SqlHeartbeat, SqlJobQueue};
pub use migrate::MIGRATIONS;
pub use native::{Native, native, native_error};
pub use replicas::{Positions, ReplicaStatus};
pub use schedules::SqlScheduleStore;
pub use sessions::SqlSessionStore;
pub use statement::{Bind, Cell, FromRow, Kind, Mismatch, Row, Statement, Template, Value};
