//! Conformance suites: what each port promises, as cases that every adapter and every fake passes.
//!
//! A suite asks for a harness: a small trait that makes a fresh, empty instance for each case and offers what the port
//! itself does not (time that passes, a way to read back what was sent). What an adapter cannot do it says in the suite's
//! capabilities, and the cases that need it are printed as *ignored*, so that nothing passes silently.
//!
//! Cases are named by the rule that they hold: `jobs JQ-5 a_claim_counts_an_attempt`.
//!
//! # Examples
//! A team's `tests/conformance.rs`, with `harness = false` in `Cargo.toml`:
//! ```no_run
//! use dolmen_testkit::conformance::{self, MemoryHarness};
//! fn main() -> std::process::ExitCode {
//!     let mut cases = conformance::jobs::cases("memory", MemoryHarness::fresh);
//!     cases.extend(conformance::database::cases("memory", MemoryHarness::CAPABILITIES, MemoryHarness::fresh));
//!     conformance::run(cases)
//! }
//! ```
//! [`MemoryHarness`] shows how a harness is written. [`Suite`] makes suites for ports of your own, such as a module's
//! repository.

pub mod audit;
pub mod authenticator;
mod cancel;
mod case;
pub mod database;
mod failure;
mod foreign;
mod harness;
pub mod ids;
pub mod inbox;
pub mod jobs;
pub mod mail;
mod memory;
pub mod metrics;
pub mod objects;
mod record;
#[cfg(test)]
mod sabotage;
pub mod schedules;
pub mod sessions;
mod suite;

pub use case::{Case, DEADLINE, Outcome, run};
pub use failure::{CaseResult, Failure};
pub use harness::{Harness, TransactionHarness};
pub use memory::MemoryHarness;
pub use record::RECORD_VARIABLE;
pub use suite::Suite;
