//! The adapter against the suites of its ports: on SQLite always, on PostgreSQL when `TEST_POSTGRES_URL` names a server.
//! Without it the PostgreSQL cases are printed as ignored; `cargo xtask test` brings one.

mod connections;
mod dark_network;
mod fixture;
mod limits;
mod processes;
mod scratch;
#[cfg(feature = "postgres")]
mod servers;
mod statements;
mod stores;

use std::process::ExitCode;

use dolmen_sql::test_database::SERVER_VARIABLE;
use dolmen_testkit::conformance::database::DatabaseCapabilities;
use dolmen_testkit::conformance::{self, Case};

use crate::fixture::SqlHarness;

fn main() -> ExitCode {
    if let Some(code) = processes::run_as_child() {
        return code;
    }
    let mut cases = suites("sqlite", SqlHarness::on_sqlite);
    let postgres = suites("postgres", SqlHarness::on_postgres);
    let missing = if cfg!(not(feature = "postgres")) {
        Some("the feature postgres")
    } else if variable(SERVER_VARIABLE).is_some() {
        None
    } else {
        Some(SERVER_VARIABLE)
    };
    cases.extend(postgres.into_iter().map(|case| match missing {
        Some(missing) => case.without(missing),
        None => case,
    }));
    #[cfg(feature = "postgres")]
    cases.extend(servers::cases());
    conformance::run(cases)
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
    cases.extend(statements::suite().cases(label, shared));
    cases.extend(connections::suite(on_file).cases(label, shared));
    cases.extend(dark_network::suite(on_file).cases(label, shared));
    cases.extend(limits::suite(on_file).cases(label, shared));
    cases.extend(processes::suite().cases(label, shared));
    cases
}
