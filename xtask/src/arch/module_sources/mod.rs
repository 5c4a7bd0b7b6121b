//! The hexagon inside a module crate: which part may look at which.

mod direction;
mod facade;
mod neighbours;
mod part;
mod technology;

use std::path::Path;

use crate::arch::layer::Layer;
use crate::arch::model::{Model, Source};
use crate::findings::Problem;
use crate::rust_source::is_test_file;

use self::part::Part;

/// Checks each module crate's files.
pub(super) fn check(model: &Model) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in model.in_layer(Layer::Modules) {
        let others = model.in_layer(Layer::Modules).filter(|other| other.name != member.name);
        let neighbours: Vec<String> = others.map(|other| other.name.replace('-', "_")).collect();
        for source in member.sources.iter().filter(|source| !is_test_file(&source.path)) {
            if let Some(below_src) = &source.below_src {
                problems.extend(file(source, below_src, &neighbours));
            }
        }
    }
    problems
}

fn file(source: &Source, below_src: &Path, neighbours: &[String]) -> Vec<Problem> {
    let part = Part::of(source, below_src);
    let mut problems: Vec<Problem> = part.unknown().into_iter().collect();
    problems.extend(facade::check(&part));
    problems.extend(direction::check(&part));
    problems.extend(technology::check(&part));
    problems.extend(neighbours::check(&part, neighbours));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::model::Crate;

    fn rules(below_src: &str, text: &str) -> Vec<String> {
        let source = Source {
            path: format!("reference-app/modules/invoices/src/{below_src}").into(),
            below_src: Some(below_src.into()),
            text: text.to_owned(),
        };
        let member = |name: &str, sources| Crate { name: name.to_owned(), sources, ..Crate::default() };
        let layer = || ("modules".to_owned(), Some(Layer::Modules));
        let model = Model {
            crates: vec![member("invoices", vec![source]), member("customers", Vec::new())],
            layers: [("invoices".to_owned(), layer()), ("customers".to_owned(), layer())].into(),
            ..Model::default()
        };
        check(&model).into_iter().map(|problem| format!("{} {}", problem.place, problem.rule)).collect()
    }

    #[test]
    fn what_the_hexagon_allows_passes() {
        for (file, text) in [
            (
                "lib.rs",
                "pub mod api;\nmod adapters;\nmod domain;\nmod module;\npub use module::InvoicesModule;",
            ),
            ("lib.rs", "pub mod api; pub(crate) mod domain; pub use crate::module::M;"),
            ("domain/invoice.rs", "use crate::domain::money::Money; use super::line::Line;"),
            ("ports.rs", "use crate::domain::Invoice; use dolmen::WriteTx;"),
            (
                "application/issue_invoice.rs",
                "use crate::{api, domain::Invoice, ports}; use customers::api::C;",
            ),
            ("adapters/sql.rs", "use crate::application::X; use dolmen_sql::sql; use crate::module;"),
            (
                "module.rs",
                "use crate::{adapters, application}; use dolmen_poem::Routes; use customers::api::X;",
            ),
            ("domain/invoice.rs", "#[cfg(test)] mod tests { use crate::adapters::x; }"),
        ] {
            assert_eq!(rules(file, text), Vec::<String>::new(), "{file}");
        }
    }

    #[test]
    fn each_wrong_direction_is_named_with_its_line() {
        for (file, text, expected) in [
            ("domain/a.rs", "\nuse crate::ports::P;", "a.rs:2 domain uses `crate::ports`"),
            ("domain/a.rs", "use super::super::adapters;", "domain uses `crate::adapters`"),
            ("domain.rs", "use crate::api::Dto;", "domain uses `crate::api`"),
            ("ports.rs", "use crate::application::A;", "ports uses `crate::application`"),
            ("ports/x.rs", "use crate::api::A;", "ports uses `crate::api`"),
            ("application/a.rs", "use crate::{domain, adapters::sql};", "application uses `crate::adapters`"),
            ("application/a.rs", "fn f(m: crate::module::M) {}", "application uses `crate::module`"),
            ("api.rs", "use crate::adapters::sql::Row;", "api uses `crate::adapters`"),
        ] {
            let found = rules(file, text);
            assert!(found.len() == 1 && found[0].contains(expected), "{file}: {found:?}");
        }
    }

    #[test]
    fn technology_stays_in_adapters() {
        for (file, text, expected) in [
            ("application/a.rs", "use dolmen_sql::sql;", "application names `dolmen_sql`"),
            ("api.rs", "#[derive(poem_openapi::Object)] struct X;", "api names `poem_openapi`"),
            ("ports.rs", "use sqlx::Row;", "ports names `sqlx`"),
            ("domain/a.rs", "use serde::Serialize;", "domain names `serde`"),
        ] {
            let found = rules(file, text);
            assert!(found.len() == 1 && found[0].contains(expected), "{file}: {found:?}");
        }
    }

    #[test]
    fn a_neighbour_is_used_through_its_api() {
        let found = rules("adapters/jobs.rs", "use customers::CustomersModule;");
        assert!(found.len() == 1 && found[0].contains("only `customers::api`"), "{found:?}");
    }

    #[test]
    fn a_second_public_module_and_an_unknown_part_are_reported() {
        assert_eq!(
            rules("lib.rs", "pub mod api;\npub mod domain;\npub use domain::X;\npub fn f() {}").len(),
            3
        );
        let found = rules("services/a.rs", "");
        assert!(found.len() == 1 && found[0].contains("no part called `services`"), "{found:?}");
    }
}
