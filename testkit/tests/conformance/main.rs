//! The fakes keep what the ports promise, and so do the ids and the authenticator that ship without an adapter.

mod sessions;

use std::future::ready;
use std::process::ExitCode;
use std::sync::Arc;

use dolmen_ports::{IdGenerator, UuidV7Ids};
use dolmen_testkit::conformance::ids::{self, IdsHarness};
use dolmen_testkit::conformance::objects::{self, ObjectsCapabilities};
use dolmen_testkit::conformance::{
    self, Harness, MemoryHarness, audit, authenticator, database, inbox, jobs, mail, metrics, schedules,
    sessions as session_store,
};

fn main() -> ExitCode {
    let cases = [
        database::cases("memory", MemoryHarness::CAPABILITIES, MemoryHarness::fresh),
        jobs::cases("memory", MemoryHarness::fresh),
        schedules::cases("memory", MemoryHarness::fresh),
        inbox::cases("memory", MemoryHarness::fresh),
        session_store::cases("memory", MemoryHarness::fresh),
        audit::cases("memory", MemoryHarness::fresh),
        mail::cases("memory", MemoryHarness::fresh),
        objects::cases("memory", ObjectsCapabilities::all(), MemoryHarness::fresh),
        authenticator::cases("memory", MemoryHarness::fresh),
        authenticator::cases("sessions", || ready(Ok(sessions::SessionsHarness::new()))),
        metrics::cases("memory", MemoryHarness::fresh),
        ids::cases("memory", MemoryHarness::fresh),
        ids::cases("system", || ready(Ok(SystemHarness))),
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
