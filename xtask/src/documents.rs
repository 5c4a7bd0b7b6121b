//! What Markdown pages say of the repository: the files they link to and the code they name are there.

use std::path::Path;

use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::workspace::Workspace;

/// Records of decisions: they name what was there when they were written.
const HISTORY: &str = "book/src/adr";
/// Named by pages, and only there after a build.
const BUILT: &str = "book/book";

/// Looks through every Markdown page.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let mut problems = Vec::new();
    for page in workspace.files("", "md")? {
        let text = prose(&workspace.read(&page)?);
        let folder = workspace.root().join(page.parent().unwrap_or(Path::new("")));
        problems.extend(dead_links(&page, &text, |link| folder.join(link).exists()));
        if !page.starts_with(HISTORY) {
            let source = |path: &str| {
                let path = workspace.root().join(path);
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                path.exists().then_some(text)
            };
            problems.extend(missing_code(&page, &text, |path| is_ours(workspace, path), source));
        }
    }
    Ok(problems.into())
}

/// Whether a word in code is a path of the repository: its first folder is there.
fn is_ours(workspace: &Workspace, word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let Some((first, _)) = word.split_once('/') else { return false };
    !first.is_empty() && word.chars().all(is_plain) && word != BUILT && workspace.root().join(first).is_dir()
}

/// The paragraphs outside fenced code, each as one line.
fn prose(text: &str) -> Vec<String> {
    let (mut paragraphs, mut in_code) = (vec![String::new()], false);
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if line.trim().is_empty() || is_fence {
            paragraphs.push(String::new());
        } else if !in_code && let Some(paragraph) = paragraphs.last_mut() {
            paragraph.extend([line.trim(), " "]);
        }
    }
    paragraphs
}

fn dead_links(page: &Path, prose: &[String], is_there: impl Fn(&str) -> bool) -> Vec<Problem> {
    let targets = prose.iter().flat_map(|paragraph| paragraph.split("](").skip(1));
    let links = targets.filter_map(|rest| rest.split([')', '#']).next());
    links
        .filter(|link| !link.is_empty() && !link.contains(':') && !is_there(link))
        .map(|link| {
            let rule = format!("links to `{link}`, which does not exist");
            Problem::new(page.display().to_string(), rule, "correct the link or take it out")
        })
        .collect()
}

/// `path` has to exist, and in "`name` in `path`" the file has to define the name; folders have no text.
fn missing_code(
    page: &Path,
    prose: &[String],
    is_ours: impl Fn(&str) -> bool,
    source: impl Fn(&str) -> Option<String>,
) -> Vec<Problem> {
    let place = page.display().to_string();
    let fix = "follow what was moved or renamed, or take the sentence out";
    let mut problems = Vec::new();
    for paragraph in prose {
        let parts: Vec<&str> = paragraph.split('`').collect();
        for (index, path) in parts.iter().enumerate().skip(1).step_by(2).filter(|(_, word)| is_ours(word)) {
            let before = index.checked_sub(2).and_then(|index| parts.get(index..index + 2));
            match (source(path), before) {
                (None, _) => {
                    problems.push(Problem::new(&place, format!("names `{path}`, which does not exist"), fix));
                }
                (Some(text), Some([name, " in "])) if !text.is_empty() && !defines(&text, name) => {
                    problems.push(Problem::new(&place, format!("`{path}` does not define `{name}`"), fix));
                }
                _ => {}
            }
        }
    }
    problems
}

fn defines(text: &str, name: &str) -> bool {
    let name = name.trim_end_matches("()");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    words.windows(2).any(|pair| {
        let [keyword, word] = pair else { return false };
        *word == name && ["fn", "struct", "enum", "trait", "mod", "const", "static", "type"].contains(keyword)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let page = Path::new("A.md");
        let text = prose(text);
        let source =
            |path: &str| (path == "core/src/a.rs").then(|| "pub async fn claim(x: u8) {}".to_owned());
        let mut problems = dead_links(page, &text, |link| link == "there.md");
        problems.extend(missing_code(page, &text, |word| word.starts_with("core/"), source));
        problems.into_iter().map(|problem| problem.rule).collect()
    }

    #[test]
    fn what_is_there_passes() {
        let text = "See [a](there.md#part), [b](https://a.b) and `claim` in\n`core/src/a.rs`, `a` of `core/src/a.rs`.\n\n\
                    ```text\n[x](gone.md) `core/gone.rs`\n```\n";
        assert!(rules(text).is_empty(), "{:?}", rules(text));
    }

    #[test]
    fn what_is_gone_is_named() {
        for (text, expected) in [
            ("[a](gone.md)", "`gone.md`, which does not exist"),
            ("so `core/src/b.rs` does", "`core/src/b.rs`, which does not exist"),
            ("`claims` in `core/src/a.rs`", "`core/src/a.rs` does not define `claims`"),
        ] {
            let found = rules(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
        }
    }
}
