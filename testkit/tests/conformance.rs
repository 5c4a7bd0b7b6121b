//! The fakes keep what the ports promise.

use std::process::ExitCode;

use dolmen_testkit::conformance::{self, MemoryHarness, database, jobs, mail, objects};

fn main() -> ExitCode {
    let mut cases = database::cases("memory", MemoryHarness::CAPABILITIES, MemoryHarness::fresh);
    cases.extend(jobs::cases("memory", MemoryHarness::fresh));
    cases.extend(mail::cases("memory", MemoryHarness::fresh));
    cases.extend(objects::cases("memory", objects::ObjectsCapabilities::all(), MemoryHarness::fresh));
    conformance::run(cases)
}
