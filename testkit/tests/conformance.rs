//! The fakes keep what the ports promise.

use std::process::ExitCode;

use dolmen_testkit::conformance::{self, MemoryHarness, database, jobs};

fn main() -> ExitCode {
    let mut cases = database::cases("memory", MemoryHarness::CAPABILITIES, MemoryHarness::fresh);
    cases.extend(jobs::cases("memory", MemoryHarness::fresh));
    conformance::run(cases)
}
