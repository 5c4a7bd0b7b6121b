//! Who owns which event, and who may react to it.

use std::collections::BTreeMap;

use dolmen_ports::ModuleName;

use crate::app::violation::Violation;
use crate::registrar::Registration;

type Owners = BTreeMap<&'static str, ModuleName>;

pub(super) fn check(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut owners = Owners::new();
    for registration in registrations {
        let module = registration.module;
        for event in registration.events.iter().copied() {
            if !belongs_to(event, module) {
                violations.push(Violation::ForeignName { module, what: "event", name: event.to_owned() });
            }
            match owners.get(event) {
                Some(owner) => violations.push(Violation::EventOwnedTwice { module, event, owner: *owner }),
                None => drop(owners.insert(event, module)),
            }
        }
    }
    violations.extend(registrations.iter().flat_map(|registration| subscriptions(registration, &owners)));
    violations
}

fn subscriptions(registration: &Registration, owners: &Owners) -> Vec<Violation> {
    let module = registration.module;
    let broken = registration.subscriptions.iter().filter_map(|subscription| {
        let event = subscription.event;
        match owners.get(event).copied() {
            None => Some(Violation::EventWithoutOwner { module, event }),
            Some(owner) if owner == module || registration.requires.contains(&owner) => None,
            Some(owner) => Some(Violation::UndeclaredDependency { module, event, owner }),
        }
    });
    broken.collect()
}

/// Whether a name begins with the module's and a dot.
pub(super) fn belongs_to(name: &str, module: ModuleName) -> bool {
    name.strip_prefix(module.as_str()).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
}
