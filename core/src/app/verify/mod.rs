//! The rules that modules keep together. Each function reports every break of its rules.

mod events;
mod jobs;
mod migrations;
mod modules;
mod routes;
mod schedules;

use super::violation::Violation;
use crate::app_ports::AppPorts;
use crate::registrar::Registration;

/// Every violation of every rule.
pub(super) fn violations(registrations: &[Registration], ports: &AppPorts) -> Vec<Violation> {
    let mut violations = modules::check(registrations);
    violations.extend(events::check(registrations));
    violations.extend(jobs::check(registrations));
    violations.extend(schedules::check(registrations, ports.clock().now()));
    violations.extend(routes::check_routes(registrations));
    violations.extend(routes::check_schemas(registrations));
    violations.extend(migrations::check(registrations, ports.migrations()));
    let (database, queue) = (ports.database().backend(), ports.queue().backend());
    if database != queue {
        violations.push(Violation::BackendMismatch { database, queue });
    }
    violations
}
