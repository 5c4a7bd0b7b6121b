//! The tour as the README has it: blocks to paste, and blocks of what one sees then.

use crate::failure::{Failure, Outcome};

const HEADING: &str = "## A tour of the demo";
/// Stands for what differs from run to run.
const ANYTHING: char = '…';

/// The tour of a README.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tour {
    script: String,
    expected: Vec<String>,
}

impl Tour {
    /// Takes the `bash` and `text` blocks out of the tour's section.
    pub(super) fn of(readme: &str) -> Outcome<Self> {
        let (_, section) = readme
            .split_once(HEADING)
            .ok_or_else(|| Failure::new(format!("README.md has no section `{HEADING}`")))?;
        let (mut script, mut expected) = (String::new(), Vec::new());
        let mut block = "";
        for line in section.lines().take_while(|line| !line.starts_with("## ")) {
            match (line.strip_prefix("```"), block) {
                (Some(language), "") => block = language,
                (Some(_), _) => block = "",
                (None, "bash") => script.extend([line, "\n"]),
                (None, "text") => expected.push(line.to_owned()),
                (None, _) => {}
            }
        }
        if script.is_empty() || expected.is_empty() {
            return Err(Failure::new("README.md: the tour has no ```bash or no ```text block"));
        }
        Ok(Self { script, expected })
    }

    pub(super) fn script(&self) -> &str {
        &self.script
    }

    pub(super) fn expected_lines(&self) -> usize {
        self.expected.len()
    }

    /// Holds what the tour printed against what the README shows: its lines in their order, others left out.
    pub(super) fn check(&self, said: &str) -> Outcome<()> {
        let mut lines = said.lines();
        for expected in &self.expected {
            if !lines.any(|line| is_as_shown(line, expected)) {
                return Err(Failure::new(format!(
                    "README.md shows `{expected}`, which the tour did not print in its place; it printed:\n{said}"
                )));
            }
        }
        Ok(())
    }
}

/// Whether a line is the shown one, with anything in place of each `…`.
fn is_as_shown(line: &str, shown: &str) -> bool {
    let (first, rest) = shown.split_once(ANYTHING).map_or((shown, None), |(first, rest)| (first, Some(rest)));
    let Some(line) = line.strip_prefix(first) else { return false };
    match rest {
        None => line.is_empty(),
        Some(rest) => line
            .char_indices()
            .map(|(at, _)| at)
            .chain([line.len()])
            .any(|at| line.get(at..).is_some_and(|tail| is_as_shown(tail, rest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# A\n\n```bash\nnot this\n```\n\n## A tour of the demo\n\nGo.\n\n```bash\na\nb\n```\n\
                          ```text\n{\"id\":\"…\",\"n\":1}\nend\n```\n```bash\nc\n```\n\n## Next\n\n```bash\nnor this\n```\n";

    #[test]
    fn only_the_blocks_of_the_tour_are_taken() {
        let tour = Tour::of(README).unwrap();
        assert_eq!(tour.script(), "a\nb\nc\n");
        assert_eq!(tour.expected, ["{\"id\":\"…\",\"n\":1}", "end"]);
    }

    #[test]
    fn a_readme_without_a_tour_is_told() {
        assert!(Tour::of("# A\n").is_err());
        assert!(Tour::of("## A tour of the demo\n\n```bash\na\n```\n").is_err());
    }

    #[test]
    fn lines_may_be_left_out_but_not_changed_or_moved() {
        let tour = Tour::of(README).unwrap();
        assert!(tour.check("x\n{\"id\":\"7\",\"n\":1}\ny\nend\n").is_ok());
        for wrong in [
            "{\"id\":\"7\",\"n\":2}\nend\n",
            "end\n{\"id\":\"7\",\"n\":1}\n",
            "{\"id\":\"7\",\"n\":1}\nend.\n",
        ] {
            assert!(tour.check(wrong).is_err(), "{wrong}");
        }
    }
}
