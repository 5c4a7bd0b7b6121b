//! The hexagon inside a module crate: which part may look at which.

use std::path::Path;

use crate::arch::layer::Layer;
use crate::arch::model::{Model, Source};
use crate::findings::Problem;
use crate::rust_source::{Token, crate_paths, is_path_start, is_test_file, module_path, without_tests};

/// What may stand directly below `src/` of a module.
const PARTS: [&str; 7] = ["lib", "module", "api", "domain", "ports", "application", "adapters"];

/// Crates that speak HTTP or SQL: `adapters` and the table of contents, `module.rs`, alone may name them.
const TECHNOLOGY: [&str; 6] = ["poem", "poem_openapi", "hyper", "sqlx", "dolmen_poem", "dolmen_sql"];

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
    let tokens = without_tests(&source.text);
    let module = module_path(below_src);
    let part = module.first().map_or("lib", String::as_str);
    let at = |line: usize| format!("{}:{line}", source.path.display());
    let mut problems = Vec::new();
    if !PARTS.contains(&part) {
        problems.push(Problem::new(
            source.path.display().to_string(),
            format!("a module has no part called `{part}`"),
            format!("put the code into one of {}", PARTS.join(", ")),
        ));
    }
    if part == "lib" {
        problems.extend(public_items(&tokens).into_iter().map(|line| {
            Problem::new(
                at(line),
                "a module shows `pub mod api` and its module struct (`pub use module::…`), nothing else",
                "move what others need into api, or leave off `pub`",
            )
        }));
    }
    problems.extend(crate_paths(&tokens, &module).into_iter().filter_map(|path| {
        let (allowed, fix) = direction(part)?;
        let is_part = PARTS.contains(&path.top.as_str());
        (is_part && !allowed.contains(&path.top.as_str())).then(|| {
            Problem::new(
                at(path.line),
                format!("{part} uses `crate::{}`; {part} may use {}", path.top, allowed.join(", ")),
                fix,
            )
        })
    }));
    problems.extend(
        foreign_words(&tokens, part, neighbours)
            .into_iter()
            .map(|(line, rule, fix)| Problem::new(at(line), rule, fix)),
    );
    problems
}

/// The parts that a part may use, and where code goes that wants more; `None` is free.
fn direction(part: &str) -> Option<(&'static [&'static str], &'static str)> {
    match part {
        "domain" => Some((&["domain"], "pass the value in, or move the code that needs it to application")),
        "ports" => Some((&["ports", "domain"], "a repository trait speaks of domain values only")),
        "application" => Some((
            &["application", "domain", "ports", "api"],
            "ask for a port in ports.rs and implement it in adapters",
        )),
        "api" => Some((
            &["api", "domain", "ports", "application"],
            "what others see must not show how it is stored or sent",
        )),
        _ => None,
    }
}

/// Names of technology outside `adapters` and `module.rs`, and neighbours' paths that go past their `api`.
fn foreign_words(tokens: &[Token], part: &str, neighbours: &[String]) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let is_core = ["domain", "ports", "application", "api"].contains(&part);
    for (index, token) in tokens.iter().enumerate() {
        let Some(word) = token.word() else { continue };
        let is_path = |ahead: usize| tokens.get(index + ahead).is_some_and(|t| t.is_sign(':'));
        if !(is_path(1) && is_path(2) && is_path_start(tokens, index)) {
            continue;
        }
        if is_core && TECHNOLOGY.contains(&word) {
            found.push((
                token.line,
                format!("{part} names `{word}`"),
                "move SQL and HTTP into adapters; the use case asks for a port".to_owned(),
            ));
        }
        if part == "domain" && ["tokio", "serde", "serde_json", "async_trait"].contains(&word) {
            found.push((
                token.line,
                format!("domain names `{word}`: the domain is plain Rust, without I/O or formats"),
                "move the DTO into api or adapters and convert".to_owned(),
            ));
        }
        let is_api = tokens.get(index + 3).is_some_and(|t| t.is_word("api"));
        if part != "module" && part != "lib" && neighbours.iter().any(|n| n == word) && !is_api {
            found.push((
                token.line,
                format!("`{word}` is a module: only `{word}::api` may be used"),
                format!("import from `{word}::api`, or publish an event"),
            ));
        }
    }
    found
}

/// Lines of public items in lib.rs that are neither `pub mod api` nor a re-export from `module`.
fn public_items(tokens: &[Token]) -> Vec<usize> {
    let mut lines = Vec::new();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("pub")) {
        let word = |ahead: usize| tokens.get(index + ahead).and_then(Token::word);
        let is_restricted = tokens.get(index + 1).is_some_and(|next| next.is_sign('('));
        let is_module_struct = word(1) == Some("use")
            && (word(2) == Some("module")
                || ([Some("crate"), Some("self")].contains(&word(2)) && word(5) == Some("module")));
        let is_api = word(1) == Some("mod") && word(2) == Some("api");
        if !is_restricted && !is_module_struct && !is_api {
            lines.push(token.line);
        }
    }
    lines
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
                "use crate::{adapters, application}; use dolmen_poem::Routes; use customers::CustomersModule;",
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
