//! Names and requirements.

use std::collections::{BTreeMap, BTreeSet};

use dolmen_ports::ModuleName;

use crate::app::violation::Violation;
use crate::registrar::Registration;

pub(super) fn check(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen = BTreeSet::new();
    for registration in registrations {
        let module = registration.module;
        if !module.is_valid() {
            violations.push(Violation::InvalidModuleName { module });
        }
        if !seen.insert(module) {
            violations.push(Violation::DuplicateModule { module });
        }
    }
    for registration in registrations {
        let unknown = registration.requires.iter().filter(|requires| !seen.contains(requires));
        violations.extend(unknown.map(|requires| Violation::UnknownRequirement {
            module: registration.module,
            requires: *requires,
        }));
    }
    let graph = registrations.iter().map(|registration| (registration.module, registration.requires));
    violations
        .extend(cycles(&graph.collect()).into_iter().map(|cycle| Violation::CyclicRequirement { cycle }));
    violations
}

type Graph = BTreeMap<ModuleName, &'static [ModuleName]>;

/// One circle through each module that lies on one, without repetitions; a circle begins with its first name.
fn cycles(graph: &Graph) -> BTreeSet<Vec<ModuleName>> {
    graph.keys().filter_map(|module| shortest_circle(graph, *module)).map(from_first_name).collect()
}

/// The shortest way from a module back to itself.
fn shortest_circle(graph: &Graph, start: ModuleName) -> Option<Vec<ModuleName>> {
    let mut paths = vec![vec![start]];
    let mut visited = BTreeSet::new();
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            for next in path.last().and_then(|last| graph.get(last)).into_iter().copied().flatten() {
                if *next == start {
                    return Some(path);
                }
                if visited.insert(*next) {
                    longer.push(path.iter().copied().chain([*next]).collect());
                }
            }
        }
        paths = longer;
    }
    None
}

fn from_first_name(mut cycle: Vec<ModuleName>) -> Vec<ModuleName> {
    let first = cycle.iter().enumerate().min_by_key(|(_, module)| **module).map_or(0, |(index, _)| index);
    cycle.rotate_left(first);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ModuleName = ModuleName::new("a");
    const B: ModuleName = ModuleName::new("b");
    const C: ModuleName = ModuleName::new("c");
    const D: ModuleName = ModuleName::new("d");

    #[test]
    fn a_circle_is_told_once_and_bystanders_are_not_part_of_it() {
        let graph = Graph::from([(A, &[B] as &[_]), (B, &[C]), (C, &[A]), (D, &[A])]);
        assert_eq!(cycles(&graph), BTreeSet::from([vec![A, B, C]]));
    }

    #[test]
    fn two_circles_and_a_module_that_requires_itself_are_all_told() {
        let graph = Graph::from([(A, &[B] as &[_]), (B, &[A, C]), (C, &[B]), (D, &[D])]);
        assert_eq!(cycles(&graph), BTreeSet::from([vec![A, B], vec![B, C], vec![D]]));
    }
}
