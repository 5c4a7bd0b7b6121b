//! A module says which modules it uses: once for cargo, once for the running program.

use std::path::Path;

use crate::arch::layer::Layer;
use crate::arch::model::{Crate, Model};
use crate::findings::Problem;

/// Every module that a manifest depends on also stands in `requires` of `module.rs`.
///
/// `App::verify` refuses unknown and cyclic requirements, but cannot see an edge that nobody declared: then the
/// neighbour could start after the module that calls it.
pub(super) fn check(model: &Model) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in model.in_layer(Layer::Modules) {
        let module = contents(member);
        for edge in
            member.shipped_dependencies().filter(|edge| model.layer(&edge.name) == Some(Layer::Modules))
        {
            if !module.contains(&format!("ModuleName::new(\"{}\")", edge.name)) {
                problems.push(Problem::new(
                    format!(
                        "{}: `{}` depends on `{}`",
                        member.manifest_path.display(),
                        member.name,
                        edge.name
                    ),
                    "the module does not say so in `requires`, so the order of start and stop ignores it",
                    format!("return `ModuleName::new(\"{}\")` from `requires` in module.rs", edge.name),
                ));
            }
        }
    }
    problems
}

/// The text of module.rs, the module's table of contents.
fn contents(member: &Crate) -> &str {
    let module =
        member.sources.iter().find(|source| source.below_src.as_deref() == Some(Path::new("module.rs")));
    module.map_or("", |source| source.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::model::{Dependency, DependencyKind, Source};

    fn problems(module_rs: &str) -> Vec<Problem> {
        let edge = Dependency { name: "customers".to_owned(), kind: DependencyKind::Normal };
        let source = Source {
            path: "m/module.rs".into(),
            below_src: Some("module.rs".into()),
            text: module_rs.to_owned(),
        };
        let invoices = Crate {
            name: "invoices".to_owned(),
            dependencies: vec![edge],
            sources: vec![source],
            ..Crate::default()
        };
        let customers = Crate { name: "customers".to_owned(), ..Crate::default() };
        let layer = || ("modules".to_owned(), Some(Layer::Modules));
        check(&Model {
            crates: vec![invoices, customers],
            layers: [("invoices".to_owned(), layer()), ("customers".to_owned(), layer())].into(),
            ..Model::default()
        })
    }

    #[test]
    fn a_declared_requirement_passes() {
        assert_eq!(problems("const REQUIRES: &[ModuleName] = &[ModuleName::new(\"customers\")];"), []);
    }

    #[test]
    fn an_edge_that_requires_does_not_name_is_reported() {
        for module_rs in ["", "use customers::api;", "&[ModuleName::new(\"customers_old\")]"] {
            assert_eq!(problems(module_rs).len(), 1, "{module_rs}");
        }
    }
}
