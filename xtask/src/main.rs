//! Checks, tests and chores of the Dolmen repository, started with `cargo xtask`.
//!
//! One file or folder per verb. A check is a pure function over a parsed model, so that its tests plant a violation
//! and need no cargo run; what talks to the machine (cargo, servers, files) stays in the verb's entry function.

mod apt;
mod arch;
mod bench;
mod book;
mod chaos;
mod check;
mod ci;
mod conformance;
mod database;
mod deny;
mod documents;
mod environment;
mod failure;
mod figures;
mod findings;
mod grounds;
mod marks;
mod migrations;
mod process;
mod reference_app;
mod rust_source;
mod sizes;
mod test;
mod tool;
mod tour;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;
use crate::workspace::Workspace;

/// Checks, tests and chores of the Dolmen repository.
///
/// Start with `cargo xtask check` before you push and `cargo xtask test` for everything that runs. Every verb
/// prints what it does, and a failure says how to fix it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everything that needs no test run: format, clippy, arch, sizes, documents, migrations, deny, docs and book.
    ///
    /// Runs all steps, prints the seconds of each, and lists every failure with its fix at the end. Under a minute
    /// once the workspace is built.
    Check,
    /// All tests, on a machine that has nothing but Rust: finds, or installs and starts, the database servers.
    ///
    /// These are PostgreSQL with two streaming standbys, PgBouncer in transaction mode before it, and MariaDB. Local
    /// programs are started in temporary folders on free ports and end with this command, however it ends; as root on
    /// Debian they are installed first. A server that a variable names is used instead: `TEST_POSTGRES_URL`, with
    /// `TEST_POSTGRES_STANDBY_URLS` (a comma between them) and `TEST_PGBOUNCER_URL`, and `TEST_MYSQL_URL`. A server in
    /// `TEST_POSTGRES_URL` has only the standbys that are named. The last line is `N passed, N failed`.
    Test,
    /// Runs the conformance suites on all databases, and prints which adapter keeps what.
    ///
    /// Starts the servers as `test` does. The tables are those of the book's page on conformance; exits 1 when a case
    /// failed or when that page shows others.
    Conformance(conformance::Options),
    /// What continuous integration runs: check, book, test, short chaos, and whether the bench compiles. `.ci/run` calls it.
    Ci,
    /// Who may depend on whom: layers between crates, direction inside a module, crates kept in their place.
    Arch,
    /// File lengths, file names, and the size of the reference app.
    Sizes,
    /// Pages in Markdown: the files they link to and the code they name are there.
    Documents,
    /// Migrations that lock tables, lose data or break the version before, with the safe way to write them.
    Migrations,
    /// Licences, sources and duplicate versions of the crates we use (cargo-deny, installed if missing).
    Deny,
    /// Builds the book and checks that its chapters are complete, listed and compiled.
    Book,
    /// Kills real processes and database servers, and looks whether anything is lost or done twice.
    ///
    /// F1 kills workers 1,000 times during 38,000 jobs, F2 the reference app's web process 1,000 times during 10,000 issues of
    /// invoices, F3 schedulers around ticks, F4 the role `migrate` at every statement of 20 migrations; F5 stops workers for longer
    /// than their leases and lets them go on, F6 tells workers to end in the middle of long and short jobs, F9 gives them jobs that
    /// abort their process, and F11 jobs that block their threads; F15, F16 and F17 put a bad network between program and server;
    /// F21, F22, F28 and F44 play cancellations, conflicts, stale plans and lost updates, F23 old transactions; F29 enqueues jobs that
    /// nothing wakes a worker for, F30 lets the clock of a process jump, and F31 turns that of a zone. They run on PostgreSQL and,
    /// but for F23, on MariaDB, and all but F11, F15, F16, F17, F22, F23 and F28 on SQLite too: the servers that
    /// `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name, or ones that are started as `test` does (`--on sqlite` leaves them out). The
    /// other faults need servers to themselves: F12 kills PostgreSQL and F13 MariaDB under writes, F14 stops PostgreSQL for half a
    /// minute, F18 leaves no connection, F19 promotes a standby, F25 fills a disk of database, objects and log (as root alone), F26
    /// reads from replicas that are behind, F38 lets PostgreSQL come back to a crowd. Prints the figures and the seed of each run;
    /// exits 1 when one is red.
    Chaos(chaos::Options),
    /// Measures the same work through Dolmen and by other means, side by side in one run, and prints ratios; and Dolmen under
    /// load.
    ///
    /// On SQLite, PostgreSQL and MariaDB: the servers that `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name, or some of its own,
    /// whose commits are durable. Give it a machine that does nothing else. Builds a workspace of its own (`xtask/bench`) in
    /// release mode; with `jobs --rivals` also one of other job queues (`xtask/rivals`), which join the race on PostgreSQL.
    /// `load`, `isolation`, `scale` and `dirt` start real processes of roles. A target that is missed is printed, and is
    /// no failure: it belongs to a machine and a minute. An event that is lost is one.
    Bench(bench::Options),
    /// Runs the README's tour against a server of its own, and compares what it prints with what the README shows.
    Tour,
    /// What the reference app costs: build seconds, start, memory, size. Takes minutes.
    ///
    /// Works on a copy of the repository with empty build folders, as after a clone.
    Figures {
        /// Also build and start the release program with the `production` features.
        #[arg(long)]
        release: bool,
    },
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match run(&command_line.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_told() {
                eprintln!("error: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> Outcome<()> {
    let workspace = Workspace::locate()?;
    match verb {
        Verb::Check => check::run(&workspace),
        Verb::Test => test::run(&workspace),
        Verb::Conformance(options) => conformance::run(&workspace, options),
        Verb::Ci => ci::run(&workspace),
        Verb::Arch => arch::check(&workspace)?.conclude("arch"),
        Verb::Sizes => sizes::check(&workspace)?.conclude("sizes"),
        Verb::Documents => documents::check(&workspace)?.conclude("documents"),
        Verb::Migrations => migrations::check(&workspace)?.conclude("migrations"),
        Verb::Deny => deny::check(&workspace)?.conclude("deny"),
        Verb::Book => book::run(&workspace),
        Verb::Chaos(options) => chaos::run(&workspace, options),
        Verb::Bench(options) => bench::run(&workspace, options),
        Verb::Tour => tour::run(&workspace),
        Verb::Figures { release } => figures::run(&workspace, *release),
    }
}
