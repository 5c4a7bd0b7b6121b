//! Lists where a statement leaves the portable layer.

use crate::arch::model::{Model, Source};
use crate::findings::Findings;
use crate::rust_source::{Token, is_test_file, without_tests};

/// Notes each call of `native(` outside dolmen-sql: allowed, and worth knowing before a database is changed.
pub(super) fn uses(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for member in model.crates.iter().filter(|member| member.name != "dolmen-sql") {
        for source in member.sources.iter().filter(|source| !is_test_file(&source.path)) {
            for line in calls(source) {
                findings.note(format!("{}:{line}: native SQL, bound to one database", source.path.display()));
            }
        }
    }
    findings
}

fn calls(source: &Source) -> Vec<usize> {
    let tokens = without_tests(&source.text);
    let calls = tokens.iter().enumerate().filter(|(index, token)| {
        let follows = |ahead: usize, sign: char| tokens.get(index + ahead).is_some_and(|t| t.is_sign(sign));
        let is_call = follows(1, '(') || (follows(1, ':') && follows(2, ':') && follows(3, '<'));
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        token.is_word("native") && is_call && !before.is_some_and(|token: &Token| token.is_word("fn"))
    });
    calls.map(|(_, token)| token.line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::model::Crate;

    fn notes(package: &str, text: &str) -> Vec<String> {
        let source =
            Source { path: "x/src/lib.rs".into(), below_src: Some("lib.rs".into()), text: text.to_owned() };
        let member = Crate { name: package.to_owned(), sources: vec![source], ..Crate::default() };
        uses(&Model { crates: vec![member], ..Model::default() }).notes
    }

    #[test]
    fn calls_are_listed_with_their_line() {
        let found =
            notes("invoices", "fn f() {\n    dolmen_sql::native(tx)?;\n    native::<Postgres>(tx);\n}\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("x/src/lib.rs:2:"), "{found:?}");
    }

    #[test]
    fn dolmen_sql_definitions_words_and_tests_are_not() {
        assert!(notes("dolmen-sql", "fn f() { native(tx) }").is_empty());
        let text = "// native(tx)\nfn native(tx: T) {}\nlet native = 1;\n#[cfg(test)]\nmod t { fn f() { native(tx) } }";
        assert!(notes("invoices", text).is_empty());
    }
}
