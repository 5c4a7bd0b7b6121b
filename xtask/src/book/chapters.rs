//! The shape of a chapter: a question first, trade-offs last.

use crate::findings::Problem;

const CLOSING: [&str; 2] = ["Trade-offs", "When not to use this"];

/// Checks one chapter.
pub(super) fn check(place: &str, text: &str) -> Vec<Problem> {
    let prose = without_code(text);
    let mut problems = Vec::new();
    if !opening(&prose).ends_with('?') {
        problems.push(Problem::new(
            place,
            "does not open with a question",
            "let the first paragraph after the title be the question a team has, ending in `?`",
        ));
    }
    for heading in CLOSING {
        let is_there =
            prose.iter().any(|line| line.starts_with("##") && line.trim_start_matches('#').trim() == heading);
        if !is_there {
            problems.push(Problem::new(
                place,
                format!("has no heading `{heading}`"),
                "say what the practice costs, and when to leave it",
            ));
        }
    }
    problems
}

/// The first paragraph after the title, as one line.
fn opening(prose: &[&str]) -> String {
    let after_title = prose.iter().skip_while(|line| !line.starts_with("# ")).skip(1);
    let paragraph =
        after_title.skip_while(|line| line.trim().is_empty()).take_while(|line| !line.trim().is_empty());
    let joined = paragraph.map(|line| line.trim().trim_start_matches("> ")).collect::<Vec<_>>().join(" ");
    joined.trim_end_matches(['*', '_', '"']).to_owned()
}

/// The lines outside fenced code, where a `#` is no heading.
fn without_code(text: &str) -> Vec<&str> {
    let mut in_code = false;
    text.lines()
        .filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !is_fence && !in_code
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Jobs\n\nHow does work survive\na crash?\n\nText.\n\n```sh\n# not a heading\n```\n\n\
                        ## Trade-offs\n\nA.\n\n## When not to use this\n\nB.\n";

    #[test]
    fn a_complete_chapter_passes() {
        assert_eq!(check("jobs.md", GOOD), []);
    }

    #[test]
    fn each_missing_part_is_reported() {
        for (removed, expected) in [
            ("a crash?", "question"),
            ("## Trade-offs", "Trade-offs"),
            ("## When not to use this", "When not to use this"),
        ] {
            let found = check("jobs.md", &GOOD.replace(removed, "words"));
            assert!(found.len() == 1 && found[0].rule.contains(expected), "{removed}: {found:?}");
        }
    }

    #[test]
    fn a_heading_in_a_code_block_does_not_count() {
        let found = check("jobs.md", &GOOD.replace("## Trade-offs", "```text\n## Trade-offs\n```"));
        assert_eq!(found.len(), 1);
    }
}
