//! The order in which modules start.

use std::collections::BTreeSet;

use crate::registrar::Registration;

/// Indexes of the registrations, each module after those that it requires; otherwise as they were added.
///
/// Modules in a cycle, or above one, come last: `verify` has refused them by then.
pub(super) fn dependency_order(registrations: &[Registration]) -> Vec<usize> {
    let known: BTreeSet<_> = registrations.iter().map(|registration| registration.module).collect();
    let mut placed = BTreeSet::new();
    let mut order: Vec<usize> = Vec::new();
    let mut left: Vec<usize> = (0..registrations.len()).collect();
    loop {
        let next = left.iter().position(|index| {
            registrations.get(*index).is_some_and(|registration| {
                registration.requires.iter().all(|name| placed.contains(name) || !known.contains(name))
            })
        });
        let Some(next) = next else { break };
        let index = left.remove(next);
        placed.extend(registrations.get(index).map(|registration| registration.module));
        order.push(index);
    }
    order.extend(left);
    order
}

#[cfg(test)]
mod tests {
    use dolmen_ports::{MigrationSet, ModuleName};

    use super::*;

    const fn name(name: &'static str) -> ModuleName {
        ModuleName::new(name)
    }

    fn order_of(modules: &[(&'static str, &'static [ModuleName])]) -> Vec<usize> {
        let registrations: Vec<Registration> = modules
            .iter()
            .map(|(module, requires)| {
                Registration::new(name(module), requires, MigrationSet::none(name(module)))
            })
            .collect();
        dependency_order(&registrations)
    }

    #[test]
    fn a_module_comes_after_those_that_it_requires() {
        const BASE: &[ModuleName] = &[name("base")];
        const BOTH: &[ModuleName] = &[name("left"), name("right")];
        assert_eq!(order_of(&[("top", BOTH), ("right", BASE), ("left", BASE), ("base", &[])]), [3, 1, 2, 0]);
    }

    #[test]
    fn a_cycle_comes_last_and_ends_the_search() {
        const A: &[ModuleName] = &[name("a")];
        const B: &[ModuleName] = &[name("b")];
        assert_eq!(order_of(&[("a", B), ("b", A), ("c", &[])]), [2, 0, 1]);
    }
}
