//! Tells test code from the rest.

use std::collections::BTreeSet;
use std::path::Path;

use crate::rust_source::lexer::{Token, tokens};

/// Is the whole file test code: an integration test, a bench, or a file called `tests.rs`?
pub(crate) fn is_test_file(path: &Path) -> bool {
    let in_test_folder = path.components().any(|part| {
        let name = part.as_os_str();
        name == "tests" || name == "benches"
    });
    in_test_folder || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The tokens outside `#[cfg(test)] mod … { … }`.
pub(crate) fn without_tests(source: &str) -> Vec<Token> {
    let all = tokens(source);
    let modules = test_modules(&all);
    all.into_iter()
        .enumerate()
        .filter(|(index, _)| !modules.iter().any(|(first, last)| (first..=last).contains(&index)))
        .map(|(_, token)| token)
        .collect()
}

/// How many lines of code there are outside `#[cfg(test)] mod … { … }`: lines with a token, so neither blank lines nor
/// comments.
pub(crate) fn lines_of_code(source: &str) -> usize {
    let lines: BTreeSet<usize> = without_tests(source).iter().map(|token| token.line).collect();
    lines.len()
}

/// How many lines lie in `#[cfg(test)] mod … { … }`.
pub(crate) fn test_lines(source: &str) -> usize {
    let all = tokens(source);
    let line_of = |index: &usize| all.get(*index).map_or(0, |token| token.line);
    test_modules(&all).iter().map(|(first, last)| line_of(last) + 1 - line_of(first)).sum()
}

/// First and last token of each inline test module.
fn test_modules(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match test_module_from(tokens, at) {
            Some(last) => {
                found.push((at, last));
                at = last + 1;
            }
            None => at += 1,
        }
    }
    found
}

/// The last token of the test module whose `#[cfg(test)]` starts here.
fn test_module_from(tokens: &[Token], at: usize) -> Option<usize> {
    let rest = tokens.get(at..)?;
    let attribute: [&dyn Fn(&Token) -> bool; 7] = [
        &|t| t.is_sign('#'),
        &|t| t.is_sign('['),
        &|t| t.is_word("cfg"),
        &|t| t.is_sign('('),
        &|t| t.is_word("test"),
        &|t| t.is_sign(')'),
        &|t| t.is_sign(']'),
    ];
    if rest.len() < attribute.len() || !attribute.iter().zip(rest).all(|(fits, token)| fits(token)) {
        return None;
    }
    let body = rest.get(attribute.len()..)?;
    let opens = body.iter().position(|token| token.is_sign('{') || token.is_sign(';'))?;
    let is_module = body.iter().take(opens).any(|token| token.is_word("mod"));
    if !is_module || body.get(opens)?.is_sign(';') {
        return None;
    }
    let opens = at + attribute.len() + opens;
    closing(tokens, opens)
}

/// The index of the brace that closes the one at `opens`.
pub(super) fn closing(tokens: &[Token], opens: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(opens) {
        if token.is_sign('{') {
            depth += 1;
        } else if token.is_sign('}') {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "fn a() {}\n\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n    fn b() { if c {} }\n}\nfn d() {}\n";

    #[test]
    fn an_inline_test_module_is_left_out_with_its_attribute() {
        let words: Vec<_> =
            without_tests(SOURCE).iter().filter_map(|token| token.word().map(str::to_owned)).collect();
        assert_eq!(words, ["fn", "a", "fn", "d"]);
    }

    #[test]
    fn blank_lines_comments_and_test_modules_are_no_lines_of_code() {
        assert_eq!(lines_of_code(SOURCE), 2);
        assert_eq!(lines_of_code("/// doc\nfn a() {}\n\n// why\nfn b() {\n}\n"), 3);
    }

    #[test]
    fn a_test_module_is_as_long_as_its_text() {
        assert_eq!(test_lines(SOURCE), 5);
        assert_eq!(test_lines("#[cfg(test)]\nuse x;\nmod y {}\n"), 0);
    }

    #[test]
    fn a_cfg_test_on_something_else_stays() {
        assert_eq!(lines_of_code("#[cfg(test)]\nuse x;\nmod y {}\n"), 3);
    }

    #[test]
    fn test_files_are_known_by_place_or_name() {
        assert!(is_test_file(Path::new("core/tests/worker.rs")));
        assert!(is_test_file(Path::new("core/src/app/tests.rs")));
        assert!(!is_test_file(Path::new("testkit/src/lib.rs")));
    }
}
