//! Schedules.

use std::collections::BTreeSet;

use dolmen_ports::Timestamp;

use crate::app::violation::Violation;
use crate::registrar::Registration;

pub(super) fn check(registrations: &[Registration], now: Timestamp) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen = BTreeSet::new();
    for registration in registrations {
        let module = registration.module;
        for registered in &registration.schedules {
            let schedule = registered.name.clone();
            let kind = registered.kind;
            if !seen.insert(&registered.name) {
                violations.push(Violation::DuplicateSchedule { module, schedule: schedule.clone() });
            }
            if let Err(reason) = registered.cron.check(now) {
                violations.push(Violation::UnusableCron { module, schedule: schedule.clone(), reason });
            }
            if !registration.jobs.iter().any(|job| job.kind == kind) {
                violations.push(Violation::UnknownScheduledJob { module, schedule, kind });
            }
        }
    }
    violations
}
