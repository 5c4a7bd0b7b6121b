//! The adapter against the suites of its ports: on SQLite always; on PostgreSQL, on PostgreSQL through PgBouncer and on MariaDB
//! or MySQL when `TEST_POSTGRES_URL`, `TEST_PGBOUNCER_URL` and `TEST_MYSQL_URL` name a server. Without it the cases are
//! printed as ignored; `cargo xtask test` brings all.

mod claims;
mod connections;
mod dark_network;
mod existing_service;
mod fixture;
mod full_server;
mod half_applied;
mod hints;
mod limits;
mod migration_locks;
mod no_transaction;
mod ownership;
#[cfg(feature = "postgres")]
mod pooler;
mod processes;
#[cfg(feature = "postgres")]
mod replicas;
mod scratch;
#[cfg(feature = "postgres")]
mod servers;
mod statements;
mod stores;

use std::process::ExitCode;

use dolmen_sql::test_database::{MYSQL_VARIABLE, PGBOUNCER_VARIABLE, SERVER_VARIABLE};
use dolmen_testkit::conformance::database::DatabaseCapabilities;
use dolmen_testkit::conformance::{self, Case};

use crate::fixture::SqlHarness;
use crate::ownership::Guest;

fn main() -> ExitCode {
    if let Some(code) = processes::run_as_child() {
        return code;
    }
    let mut cases = suites("sqlite", SqlHarness::on_sqlite);
    cases.extend(ownership::cases("sqlite", Guest::on_sqlite));
    let mut postgres = suites("postgres", SqlHarness::on_postgres);
    postgres.extend(ownership::cases("postgres", Guest::on_postgres));
    cases.extend(on_server(postgres, cfg!(feature = "postgres"), "the feature postgres", SERVER_VARIABLE));
    let pgbouncer = suites("pgbouncer", SqlHarness::on_pgbouncer);
    let pgbouncer = on_server(pgbouncer, cfg!(feature = "postgres"), "the feature postgres", SERVER_VARIABLE);
    cases.extend(on_server(pgbouncer, true, "the feature postgres", PGBOUNCER_VARIABLE));
    let mut mysql = suites("mysql", SqlHarness::on_mysql);
    mysql.extend(ownership::cases("mysql", Guest::on_mysql));
    cases.extend(on_server(mysql, cfg!(feature = "mysql"), "the feature mysql", MYSQL_VARIABLE));
    #[cfg(feature = "postgres")]
    cases.extend(replicas::cases().into_iter().chain(servers::cases()));
    conformance::run(cases)
}

/// The cases; printed as ignored when their driver or their server is missing.
fn on_server(
    cases: impl IntoIterator<Item = Case>,
    is_compiled_in: bool,
    feature: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Case> {
    let missing = if is_compiled_in { variable(name).is_none().then_some(name) } else { Some(feature) };
    cases.into_iter().map(move |case| match missing {
        Some(missing) => case.without(missing),
        None => case,
    })
}

#[expect(clippy::disallowed_methods, reason = "a test binary has no other way to be told about a server")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn suites<F, Fut>(label: &str, fresh: F) -> Vec<Case>
where
    F: Fn() -> Fut + Send + Sync + Copy + 'static,
    Fut: Future<Output = Result<SqlHarness, dolmen_ports::BoxError>> + Send + 'static,
{
    let mut cases = conformance::database::cases(label, DatabaseCapabilities::all(), fresh);
    cases.extend(conformance::jobs::cases(label, fresh));
    cases.extend(conformance::schedules::cases(label, fresh));
    cases.extend(conformance::inbox::cases(label, fresh));
    cases.extend(conformance::sessions::cases(label, fresh));
    cases.extend(conformance::audit::cases(label, fresh));
    let shared = move || {
        let harness = fresh();
        async { harness.await.map(std::sync::Arc::new) }
    };
    let on_file = label == "sqlite";
    cases.extend(claims::suite(label).cases(label, shared));
    cases.extend(statements::suite().cases(label, shared));
    cases.extend(connections::suite(on_file).cases(label, shared));
    cases.extend(existing_service::suite(label != "pgbouncer").cases(label, shared));
    cases.extend(dark_network::suite(on_file).cases(label, shared));
    cases.extend(full_server::suite(on_file).cases(label, shared));
    cases.extend(limits::suite(on_file).cases(label, shared));
    cases.extend(half_applied::suite(label == "mysql").cases(label, shared));
    cases.extend(migration_locks::suite(on_file).cases(label, shared));
    cases.extend(no_transaction::suite(label == "postgres").cases(label, shared));
    cases.extend(processes::suite().cases(label, shared));
    cases.extend(hints::suite(label).cases(label, shared));
    #[cfg(feature = "postgres")]
    match label {
        "pgbouncer" => cases.extend(pooler::suite().cases(label, shared)),
        "postgres" => cases.extend(pooler::direct_suite().cases(label, shared)),
        _ => {}
    }
    cases
}
