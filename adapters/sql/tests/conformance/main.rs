//! The adapter against the suites of its ports: on SQLite always, on PostgreSQL when `TEST_POSTGRES_URL` names a server.
//! Without it the PostgreSQL cases are printed as ignored; `cargo xtask test` brings one.

mod connections;
mod fixture;
mod scratch;
mod statements;
mod stores;

use std::process::ExitCode;

use dolmen_testkit::conformance::database::DatabaseCapabilities;
use dolmen_testkit::conformance::{self, Case};

use crate::fixture::{POSTGRES_URL, SqlHarness};

fn main() -> ExitCode {
    let mut cases = suites("sqlite", SqlHarness::on_sqlite);
    let postgres = suites("postgres", SqlHarness::on_postgres);
    let missing = match fixture::postgres_url() {
        _ if cfg!(not(feature = "postgres")) => Some("the feature postgres"),
        None => Some(POSTGRES_URL),
        Some(_) => None,
    };
    cases.extend(postgres.into_iter().map(|case| match missing {
        Some(missing) => case.without(missing),
        None => case,
    }));
    conformance::run(cases)
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
    cases.extend(statements::suite().cases(label, shared));
    cases.extend(connections::suite().cases(label, shared));
    cases
}
