//! The rules that modules keep together.

use super::violation::Violation;
use crate::app_ports::AppPorts;
use crate::registrar::Registration;

/// Every violation of every rule.
pub(super) fn violations(registrations: &[Registration], _ports: &AppPorts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for registration in registrations {
        if !registration.module.is_valid() {
            violations.push(Violation::InvalidModuleName { module: registration.module });
        }
    }
    violations
}
