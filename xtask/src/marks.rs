//! Marks of unfinished or switched-off work, and re-exports that hide where a name comes from.

use std::path::Path;

use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::rust_source::{Token, tokens};
use crate::workspace::Workspace;

/// Looks through every Rust, SQL, TOML and Markdown file.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let mut problems = Vec::new();
    for extension in ["rs", "sql", "toml", "md"] {
        for path in workspace.files("", extension)? {
            let text = workspace.read(&path)?;
            problems.extend(unfinished(&path, &text));
            if extension == "rs" {
                problems.extend(in_tokens(&path, &tokens(&text)));
            }
        }
    }
    Ok(problems.into())
}

fn unfinished(path: &Path, text: &str) -> Vec<Problem> {
    // In two halves, so that this file does not report itself.
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    let lines = text.lines().enumerate().filter(|(_, line)| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|part| words.iter().any(|word| word == part))
    });
    lines
        .map(|(index, line)| {
            Problem::new(
                format!("{}:{}", path.display(), index + 1),
                format!("unfinished work: `{}`", line.trim()),
                "finish it, or open an issue and take the line out",
            )
        })
        .collect()
}

fn in_tokens(path: &Path, tokens: &[Token]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let place = || format!("{}:{}", path.display(), token.line);
        let rest = tokens.get(index..).unwrap_or_default();
        if is_ignore(rest) {
            problems.push(Problem::new(
                place(),
                "an ignored test",
                "mend the test, delete it, or declare the missing capability in its suite",
            ));
        } else if is_glob_export(rest) {
            problems.push(Problem::new(
                place(),
                "a glob re-export hides where a name comes from",
                "name what is exported",
            ));
        }
    }
    problems
}

/// `#[ignore…`
fn is_ignore(tokens: &[Token]) -> bool {
    matches!(tokens, [hash, open, word, ..] if hash.is_sign('#') && open.is_sign('[') && word.is_word("ignore"))
}

/// `pub use …*;`
fn is_glob_export(tokens: &[Token]) -> bool {
    let [first, second, ..] = tokens else { return false };
    first.is_word("pub")
        && second.is_word("use")
        && tokens.iter().take_while(|token| !token.is_sign(';')).any(|token| token.is_sign('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let path = Path::new("a.rs");
        let problems = [unfinished(path, text), in_tokens(path, &tokens(text))].concat();
        problems.into_iter().map(|problem| format!("{} {}", problem.place, problem.rule)).collect()
    }

    #[test]
    fn each_mark_is_found_with_its_line() {
        let unfinished = format!("\n// {}: later\n", ["TO", "DO"].concat());
        for (text, expected) in [
            (unfinished.as_str(), "a.rs:2 unfinished work"),
            ("#[ignore]\nfn a() {}", "a.rs:1 an ignored test"),
            ("#[ignore = \"slow\"]\nfn a() {}", "a.rs:1 an ignored test"),
            ("pub use crate::{a, b::*};", "a.rs:1 a glob re-export"),
        ] {
            let found = rules(text);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:?}");
        }
    }

    #[test]
    fn finished_code_passes() {
        assert!(rules("use super::*;\npub use a::B;\nlet todos = 2 * 3; // ignore\n").is_empty());
    }
}
