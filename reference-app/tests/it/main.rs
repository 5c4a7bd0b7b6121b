//! The reference app as its clients and operators meet it: over real sockets, on real files, from its document to its end.
//!
//! The contract is held on SQLite always, on PostgreSQL with the feature `postgres` when `TEST_POSTGRES_URL` names a server,
//! and on MariaDB with the feature `mysql` when `TEST_MYSQL_URL` does; without one these tests are printed as ignored. Every answer of every test is held against the document that
//! the application serves.

#![cfg(test)]

mod audit;
mod command_line;
mod customers;
mod files;
mod garbage;
mod idempotency;
mod invoices;
mod lifecycle;
mod lists;
mod mails;
mod nightly;
mod numbering;
mod openapi;
mod problems;
mod production;
mod reports;
mod roles;
mod session;
mod split_roles;
mod support;
mod tenants;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::support::Case;

fn main() -> ExitCode {
    let cases = [
        audit::cases(),
        command_line::cases(),
        customers::cases(),
        files::cases(),
        garbage::cases(),
        idempotency::cases(),
        invoices::cases(),
        lifecycle::cases(),
        lists::cases(),
        mails::cases(),
        nightly::cases(),
        numbering::cases(),
        openapi::cases(),
        problems::cases(),
        production::cases(),
        reports::cases(),
        roles::cases(),
        session::cases(),
        split_roles::cases(),
        tenants::cases(),
    ];
    let trials = cases.into_iter().flatten().flat_map(Case::trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
