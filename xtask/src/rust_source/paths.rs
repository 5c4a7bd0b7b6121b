//! Finds the paths of a file that start at its crate, and resolves `super` and `self`.

use std::path::Path;

use crate::rust_source::lexer::Token;
use crate::rust_source::test_code::closing;

/// A use of something in the same crate: `top` is the first module below the crate's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CratePath {
    pub(crate) top: String,
    pub(crate) line: usize,
}

/// The module path of a file below `src/`: `application/issue_invoice.rs` is `[application, issue_invoice]`.
pub(crate) fn module_path(below_src: &Path) -> Vec<String> {
    let mut path: Vec<String> = below_src
        .with_extension("")
        .components()
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

/// Every path of the file that leads to a top module of its own crate, through `crate::` or enough `super::`.
pub(crate) fn crate_paths(tokens: &[Token], module: &[String]) -> Vec<CratePath> {
    let mut found = Vec::new();
    let mut inline_modules: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        inline_modules.retain(|closes| index < *closes);
        if token.is_word("mod")
            && let Some(opens) = opening_of_module(tokens, index)
        {
            inline_modules.extend(closing(tokens, opens));
        }
        if is_path_start(tokens, index)
            && let Some(after) = after_crate_root(tokens, index, module.len() + inline_modules.len())
        {
            collect_tops(tokens, after, &mut found);
        }
    }
    found
}

/// `mod name {`: the index of the brace.
fn opening_of_module(tokens: &[Token], index: usize) -> Option<usize> {
    tokens.get(index + 1)?.word()?;
    tokens.get(index + 2)?.is_sign('{').then_some(index + 2)
}

/// A path starts at a word that no `::` precedes (a single `:` stands before a type).
pub(crate) fn is_path_start(tokens: &[Token], index: usize) -> bool {
    let is_colon = |back: usize| {
        index.checked_sub(back).and_then(|before| tokens.get(before)).is_some_and(|token| token.is_sign(':'))
    };
    !(is_colon(1) && is_colon(2))
}

/// Follows `crate::`, `self::` and `super::`; the index after them if they lead to the root of the crate.
fn after_crate_root(tokens: &[Token], start: usize, depth: usize) -> Option<usize> {
    let mut at = start;
    let mut left = depth;
    if tokens.get(at)?.is_word("crate") {
        return separator(tokens, at + 1);
    }
    if tokens.get(at)?.is_word("self") {
        at = separator(tokens, at + 1)?;
    }
    while tokens.get(at)?.is_word("super") {
        at = separator(tokens, at + 1)?;
        left = left.saturating_sub(1);
    }
    (left == 0 && at != start).then_some(at)
}

fn separator(tokens: &[Token], at: usize) -> Option<usize> {
    (tokens.get(at)?.is_sign(':') && tokens.get(at + 1)?.is_sign(':')).then_some(at + 2)
}

/// Adds the word at `at`, or the first word of each element when a `{…}` group starts there.
fn collect_tops(tokens: &[Token], at: usize, found: &mut Vec<CratePath>) {
    let Some(first) = tokens.get(at) else { return };
    if let Some(word) = first.word() {
        found.push(CratePath { top: word.to_owned(), line: first.line });
        return;
    }
    if !first.is_sign('{') {
        return;
    }
    let Some(end) = closing(tokens, at) else { return };
    let mut depth = 0_usize;
    let mut expects_element = true;
    for token in tokens.iter().take(end).skip(at + 1) {
        match token.word() {
            Some(word) if depth == 0 && expects_element => {
                found.push(CratePath { top: word.to_owned(), line: token.line });
                expects_element = false;
            }
            _ if token.is_sign('{') => depth += 1,
            _ if token.is_sign('}') => depth = depth.saturating_sub(1),
            _ if token.is_sign(',') && depth == 0 => expects_element = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::lexer::tokens;

    fn tops(source: &str, file: &str) -> Vec<String> {
        crate_paths(&tokens(source), &module_path(Path::new(file))).into_iter().map(|path| path.top).collect()
    }

    #[test]
    fn crate_paths_and_groups_give_their_top_modules() {
        assert_eq!(tops("use crate::domain::Invoice;", "ports.rs"), ["domain"]);
        assert_eq!(
            tops("use crate::{domain::{a, b}, ports, adapters::sql as x};", "a.rs"),
            ["domain", "ports", "adapters"]
        );
        assert_eq!(tops("fn f() -> crate::api::Dto { x::crate_like() }", "a.rs"), ["api"]);
    }

    #[test]
    fn super_counts_only_when_it_reaches_the_root() {
        assert_eq!(tops("use super::money;", "domain/invoice.rs"), Vec::<String>::new());
        assert_eq!(tops("use super::super::adapters;", "domain/invoice.rs"), ["adapters"]);
        assert_eq!(tops("use super::adapters;", "domain/mod.rs"), ["adapters"]);
        assert_eq!(tops("use super::adapters;", "ports.rs"), ["adapters"]);
        assert_eq!(tops("use self::super::adapters;", "ports.rs"), ["adapters"]);
    }

    #[test]
    fn an_inline_module_adds_a_step() {
        assert_eq!(
            tops("mod inner { use super::x; use super::super::y; } use super::z;", "ports.rs"),
            ["y", "z"]
        );
    }
}
