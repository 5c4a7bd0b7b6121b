//! The fakes keep what the ports promise, and so do the clock and the ids that ship.

use std::process::ExitCode;
use std::sync::Arc;

use dolmen_ports::{IdGenerator, UuidV7Ids};
use dolmen_testkit::conformance::ids::{self, IdsHarness};
use dolmen_testkit::conformance::objects::{self, ObjectsCapabilities};
use dolmen_testkit::conformance::{
    self, Harness, MemoryHarness, audit, authenticator, database, inbox, jobs, mail, metrics, schedules,
    sessions,
};

fn main() -> ExitCode {
    let cases = [
        database::cases("memory", MemoryHarness::CAPABILITIES, MemoryHarness::fresh),
        jobs::cases("memory", MemoryHarness::fresh),
        schedules::cases("memory", MemoryHarness::fresh),
        inbox::cases("memory", MemoryHarness::fresh),
        sessions::cases("memory", MemoryHarness::fresh),
        audit::cases("memory", MemoryHarness::fresh),
        mail::cases("memory", MemoryHarness::fresh),
        objects::cases("memory", ObjectsCapabilities::all(), MemoryHarness::fresh),
        authenticator::cases("memory", MemoryHarness::fresh),
        metrics::cases("memory", MemoryHarness::fresh),
        ids::cases("memory", MemoryHarness::fresh),
        ids::cases("system", || std::future::ready(Ok(SystemHarness))),
    ];
    conformance::run(cases.into_iter().flatten())
}

/// What the ports crate itself offers for the machine that it runs on.
struct SystemHarness;

impl Harness for SystemHarness {}

impl IdsHarness for SystemHarness {
    fn generator(&self) -> Arc<dyn IdGenerator> {
        Arc::new(UuidV7Ids::new())
    }
}
