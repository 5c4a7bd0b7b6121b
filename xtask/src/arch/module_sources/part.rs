//! One file of a module, and which part of the hexagon it belongs to.

use std::path::Path;

use crate::arch::model::Source;
use crate::findings::Problem;
use crate::rust_source::{Token, is_path_start, module_path, without_tests};

/// What may stand directly below `src/` of a module.
const PARTS: [&str; 7] = ["lib", "module", "api", "domain", "ports", "application", "adapters"];

/// A file without its tests.
pub(super) struct Part<'a> {
    source: &'a Source,
    pub(super) tokens: Vec<Token>,
    /// Its module path; the first step names the part.
    pub(super) module: Vec<String>,
}

impl<'a> Part<'a> {
    pub(super) fn of(source: &'a Source, below_src: &Path) -> Self {
        Self { source, tokens: without_tests(&source.text), module: module_path(below_src) }
    }

    pub(super) fn name(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    pub(super) fn is_one(name: &str) -> bool {
        PARTS.contains(&name)
    }

    pub(super) fn problem(&self, line: usize, rule: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem::new(format!("{}:{line}", self.source.path.display()), rule, fix)
    }

    /// A file that is no part of a module.
    pub(super) fn unknown(&self) -> Option<Problem> {
        let name = self.name();
        (!Self::is_one(name)).then(|| {
            let fix = format!("put the code into one of {}", PARTS.join(", "));
            self.problem(1, format!("a module has no part called `{name}`"), fix)
        })
    }

    /// Words that start a path (`word::…`), each with its line and the word after it.
    pub(super) fn path_starts(&self) -> impl Iterator<Item = (usize, &str, Option<&str>)> {
        self.tokens.iter().enumerate().filter_map(|(index, token)| {
            let word = token.word()?;
            let is_colon = |ahead: usize| self.tokens.get(index + ahead).is_some_and(|t| t.is_sign(':'));
            let is_start = is_colon(1) && is_colon(2) && is_path_start(&self.tokens, index);
            is_start.then(|| (token.line, word, self.tokens.get(index + 3).and_then(Token::word)))
        })
    }
}
