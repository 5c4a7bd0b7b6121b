//! Edges between our own crates.

use crate::arch::layer::Layer;
use crate::arch::model::{Crate, Model};
use crate::findings::Problem;

/// Every member has a layer, and every normal or build edge between members is allowed.
pub(super) fn check(model: &Model) -> Vec<Problem> {
    let mut problems: Vec<Problem> =
        model.crates.iter().filter_map(|member| without_layer(model, member)).collect();
    problems.extend(strangers(model));
    for from in &model.crates {
        for edge in from.shipped_dependencies() {
            problems.extend(forbidden_edge(model, from, &edge.name));
        }
    }
    problems
}

fn without_layer(model: &Model, member: &Crate) -> Option<Problem> {
    let place = format!("{} (package {})", member.manifest_path.display(), member.name);
    match model.layers.get(&member.name) {
        Some((_, Some(_))) => None,
        Some((name, None)) => Some(Problem::new(
            place,
            format!("`{name}` is no layer"),
            format!("use one of: {}", Layer::names()),
        )),
        None => Some(Problem::new(
            place,
            "the crate has no layer, so nothing says who may depend on it",
            "name it in [workspace.metadata.dolmen.layers] of the root Cargo.toml",
        )),
    }
}

/// Names in the layers table that are no member: a typing error there would switch a rule off.
fn strangers(model: &Model) -> impl Iterator<Item = Problem> {
    model.layers.keys().filter(|name| !model.crates.iter().any(|member| member.name == **name)).map(|name| {
        Problem::new(
            format!("Cargo.toml: layers name `{name}`"),
            "no workspace member has this name",
            "remove the name or correct it",
        )
    })
}

fn forbidden_edge(model: &Model, from: &Crate, to: &str) -> Option<Problem> {
    let (layer, target) = (model.layer(&from.name)?, model.layer(to)?);
    let place = format!("{}: `{}` depends on `{to}`", from.manifest_path.display(), from.name);
    if target == Layer::Testkit && layer != Layer::Book {
        return Some(Problem::new(
            place,
            "dolmen-testkit never ships: it is a dev-dependency",
            "move the line to [dev-dependencies]; code that needs a fake belongs in tests/",
        ));
    }
    (!may_depend(layer, &from.name, target, to))
        .then(|| Problem::new(place, layer.rule(), layer.where_the_code_belongs()))
}

fn may_depend(from: Layer, from_name: &str, to: Layer, to_name: &str) -> bool {
    match from {
        Layer::Ports | Layer::Tools => false,
        Layer::Core => to == Layer::Ports,
        Layer::Adapters => to == Layer::Ports || (from_name == "dolmen-poem" && to == Layer::Core),
        Layer::Testkit => matches!(to, Layer::Ports | Layer::Core),
        Layer::Modules => {
            matches!(to, Layer::Ports | Layer::Core | Layer::Modules)
                || ["dolmen-sql", "dolmen-poem"].contains(&to_name)
        }
        Layer::Binary => matches!(to, Layer::Ports | Layer::Core | Layer::Adapters | Layer::Modules),
        Layer::Harness => !matches!(to, Layer::Testkit | Layer::Book | Layer::Harness | Layer::Tools),
        Layer::Book => !matches!(to, Layer::Binary | Layer::Harness | Layer::Tools),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::model::{Dependency, DependencyKind};

    /// A workspace with one crate per layer (two adapters) and one more edge.
    fn with_edge(from: &str, kind: DependencyKind, to: &str) -> Model {
        let layers = [
            ("dolmen-ports", Layer::Ports),
            ("dolmen", Layer::Core),
            ("dolmen-sql", Layer::Adapters),
            ("dolmen-poem", Layer::Adapters),
            ("dolmen-directory", Layer::Adapters),
            ("dolmen-testkit", Layer::Testkit),
            ("invoices", Layer::Modules),
            ("customers", Layer::Modules),
            ("app", Layer::Binary),
            ("dolmen-book", Layer::Book),
            ("chaos", Layer::Harness),
            ("xtask", Layer::Tools),
        ];
        let member = |name: &str| Crate {
            name: name.to_owned(),
            manifest_path: format!("{name}/Cargo.toml").into(),
            dependencies: if name == from {
                vec![Dependency { name: to.to_owned(), kind }]
            } else {
                Vec::new()
            },
            ..Crate::default()
        };
        Model {
            crates: layers.iter().map(|(name, _)| member(name)).collect(),
            layers: layers
                .iter()
                .map(|(name, layer)| ((*name).to_owned(), ("layer".to_owned(), Some(*layer))))
                .collect(),
            ..Model::default()
        }
    }

    fn problems(from: &str, to: &str) -> Vec<Problem> {
        check(&with_edge(from, DependencyKind::Normal, to))
    }

    #[test]
    fn the_edges_of_the_design_are_allowed() {
        let allowed = [
            ("dolmen", "dolmen-ports"),
            ("dolmen-sql", "dolmen-ports"),
            ("dolmen-poem", "dolmen"),
            ("dolmen-testkit", "dolmen"),
            ("invoices", "dolmen"),
            ("invoices", "dolmen-sql"),
            ("invoices", "dolmen-poem"),
            ("invoices", "customers"),
            ("app", "dolmen-directory"),
            ("app", "invoices"),
            ("dolmen-book", "dolmen-testkit"),
            ("chaos", "app"),
            ("chaos", "dolmen-sql"),
        ];
        for (from, to) in allowed {
            assert_eq!(problems(from, to), [], "{from} -> {to}");
        }
    }

    #[test]
    fn each_forbidden_edge_is_named_with_its_rule_and_remedy() {
        let forbidden = [
            ("dolmen-ports", "dolmen", Layer::Ports),
            ("dolmen", "dolmen-sql", Layer::Core),
            ("dolmen", "invoices", Layer::Core),
            ("dolmen-sql", "dolmen", Layer::Adapters),
            ("dolmen-poem", "dolmen-sql", Layer::Adapters),
            ("dolmen-testkit", "dolmen-sql", Layer::Testkit),
            ("invoices", "dolmen-directory", Layer::Modules),
            ("invoices", "app", Layer::Modules),
            ("app", "xtask", Layer::Binary),
            ("dolmen-book", "app", Layer::Book),
            ("chaos", "dolmen-book", Layer::Harness),
            ("xtask", "dolmen-ports", Layer::Tools),
        ];
        for (from, to, layer) in forbidden {
            let found = problems(from, to);
            assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
            assert!(found[0].place.contains(&format!("`{from}` depends on `{to}`")), "{:?}", found[0]);
            assert_eq!(found[0].rule, layer.rule());
            assert_eq!(found[0].fix, layer.where_the_code_belongs());
        }
    }

    #[test]
    fn testkit_is_a_dev_dependency_of_all_but_the_book() {
        for from in ["dolmen-ports", "dolmen", "dolmen-sql", "invoices", "app", "xtask"] {
            let found = problems(from, "dolmen-testkit");
            assert!(found.len() == 1 && found[0].rule.contains("never ships"), "{from}: {found:?}");
            let as_dev = check(&with_edge(from, DependencyKind::Dev, "dolmen-testkit"));
            assert_eq!(as_dev, [], "{from}");
        }
    }

    #[test]
    fn a_build_dependency_counts_like_a_normal_one() {
        assert_eq!(check(&with_edge("dolmen", DependencyKind::Build, "dolmen-sql")).len(), 1);
    }

    #[test]
    fn a_member_without_layer_and_a_layer_without_member_are_reported() {
        let mut model = with_edge("app", DependencyKind::Normal, "dolmen");
        let entry = model.layers.remove("invoices").expect("present");
        model.layers.insert("invioces".to_owned(), entry);
        model.layers.insert("customers".to_owned(), ("modlues".to_owned(), None));
        let rules: Vec<_> = check(&model).into_iter().map(|problem| problem.rule).collect();
        assert_eq!(rules.len(), 3, "{rules:?}");
        assert!(rules[0].contains("modlues") || rules[1].contains("modlues"), "{rules:?}");
    }
}
