//! Schedules.

use std::collections::BTreeMap;
use std::panic::Location;

use dolmen_ports::Timestamp;

use crate::app::violation::Violation;
use crate::registrar::Registration;

pub(super) fn check(registrations: &[Registration], now: Timestamp) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen: BTreeMap<&str, &'static Location<'static>> = BTreeMap::new();
    for registration in registrations {
        let module = registration.module;
        for registered in &registration.schedules {
            let (schedule, at, kind) = (registered.name.clone(), registered.at, registered.kind);
            match seen.get(registered.name.as_str()).copied() {
                Some(first_at) => {
                    let schedule = schedule.clone();
                    violations.push(Violation::DuplicateSchedule { module, schedule, at, first_at });
                }
                None => drop(seen.insert(&registered.name, at)),
            }
            if let Err(reason) = registered.cron.check(now) {
                violations.push(Violation::UnusableCron { module, schedule: schedule.clone(), at, reason });
            }
            if !registration.jobs.iter().any(|job| job.kind == kind) {
                let handled_at = handled_at(registrations, kind);
                violations.push(Violation::UnknownScheduledJob { module, schedule, at, kind, handled_at });
            }
        }
    }
    violations
}

/// Where a kind is handled, if anywhere.
fn handled_at(registrations: &[Registration], kind: &str) -> Option<&'static Location<'static>> {
    let mut jobs = registrations.iter().flat_map(|registration| &registration.jobs);
    jobs.find(|job| job.kind == kind).map(|job| job.at)
}
