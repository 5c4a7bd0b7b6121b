//! Routes and the schemas of their documents.

use std::collections::BTreeMap;

use dolmen_ports::ModuleName;

use crate::app::violation::Violation;
use crate::registrar::Registration;
use crate::routes::Route;

/// Two operations answer the same requests when method and path are equal but for the names of parameters.
pub(super) fn check_routes(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen: BTreeMap<(String, String), (ModuleName, Route)> = BTreeMap::new();
    for (module, route) in all_routes(registrations) {
        let key = (route.method.clone(), without_parameter_names(&route.path));
        match seen.get(&key) {
            Some((other, other_route)) => violations.push(Violation::DuplicateRoute {
                module,
                route,
                other: *other,
                other_route: other_route.clone(),
            }),
            None => drop(seen.insert(key, (module, route))),
        }
    }
    violations
}

fn all_routes(registrations: &[Registration]) -> impl Iterator<Item = (ModuleName, Route)> {
    registrations.iter().flat_map(|registration| {
        let module = registration.module;
        let routes = registration.routes.iter().flat_map(crate::routes::RouteSet::routes);
        routes.map(move |route| (module, route))
    })
}

/// `/a/{id}/b` and `/a/:id/b` become `/a/{}/b`.
fn without_parameter_names(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let is_parameter = segment.starts_with(':') || (segment.starts_with('{') && segment.ends_with('}'));
        if is_parameter { "{}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

pub(super) fn check_schemas(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen: BTreeMap<&str, (ModuleName, &serde_json::Value)> = BTreeMap::new();
    for registration in registrations {
        let module = registration.module;
        for (name, schema) in registration.routes.iter().flat_map(crate::routes::RouteSet::schemas) {
            let (other, first) = *seen.entry(name).or_insert((module, schema));
            if first != schema {
                violations.push(Violation::DuplicateSchema { module, schema: name.to_owned(), other });
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_do_not_matter() {
        assert_eq!(without_parameter_names("/a/{id}/b"), without_parameter_names("/a/:x/b"));
        assert_ne!(without_parameter_names("/a/{id}"), without_parameter_names("/a/new"));
        assert_ne!(without_parameter_names("/a/{id}"), without_parameter_names("/a/{id}/"));
    }
}
