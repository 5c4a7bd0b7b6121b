//! What people type.

use clap::{Parser, Subcommand};

const ABOUT: &str = "\
Invoicing for small companies.

Without a command it serves: HTTP API, worker and scheduler in one process, on a SQLite file and plain folders under
./var, with a demo tenant to sign in with. Everything else is chosen by variables of the environment:

  APP_ROLE         all (default), or some of web,worker,scheduler, or migrate alone
  APP_ENV          development (default) or production
  PORT             the HTTP API (8080)
  MANAGEMENT_PORT  probes and operations (9000)
  DATABASE_URL     sqlite:FILE, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME
                   (through a pooler, such as PgBouncer: DATABASE_MIGRATION_URL is the way without it)
  APP_DATA_DIR     where the embedded database, mails and objects lie (./var)
  RUST_LOG         how much to log (info)

`config` lists all variables with their values and where they come from.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "dolmen-reference-app", version, about = ABOUT)]
pub struct CommandLine {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[expect(clippy::exhaustive_enums, reason = "main handles each")]
pub enum Command {
    /// Run the roles of `APP_ROLE` until SIGTERM or Ctrl-C
    Serve,
    /// Play the whole tour against a server of its own, and show the mail and the report
    Demo,
    /// Bring the schema up to date and end; the same as `APP_ROLE=migrate`
    Migrate,
    /// Print the modules as JSON: what they require, own and offer
    Modules,
    /// Print every variable: value, origin and meaning
    Config,
    /// What the framework brings along: jobs, schedules
    #[command(flatten)]
    App(dolmen::AppCommand),
}
