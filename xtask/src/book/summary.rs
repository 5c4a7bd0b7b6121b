//! The table of contents.

/// The pages that SUMMARY.md lists, as paths below `book/src`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pages: Vec<Page>,
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    path: String,
    /// A list item; links outside the list are introductions and appendices.
    is_numbered: bool,
}

impl Summary {
    /// Reads the links of a SUMMARY.md.
    pub(super) fn parse(text: &str) -> Self {
        let pages = text.lines().filter_map(|line| {
            let entry = line.trim();
            let (_, link) = entry.split_once("](")?;
            let path = link.split(')').next().filter(|path| !path.is_empty())?;
            let path = path.trim_start_matches("./").to_owned();
            Some(Page { path, is_numbered: entry.starts_with(['-', '*']) })
        });
        Self { pages: pages.collect() }
    }

    pub(super) fn pages(&self) -> impl Iterator<Item = &str> {
        self.pages.iter().map(|page| page.path.as_str())
    }

    /// The pages that teach a practice: numbered, and not decision records.
    pub(super) fn chapters(&self) -> impl Iterator<Item = &str> {
        let chapters = self.pages.iter().filter(|page| page.is_numbered && !page.path.starts_with("adr/"));
        chapters.map(|page| page.path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn introductions_drafts_and_decision_records_are_no_chapters() {
        let summary = Summary::parse(
            "# Summary\n\n[Introduction](introduction.md)\n\n- [Start](start.md)\n    - [Jobs](./guide/jobs.md)\n\
             - [Draft]()\n- [Decisions](adr/README.md)\n",
        );
        assert_eq!(
            summary.pages().collect::<Vec<_>>(),
            ["introduction.md", "start.md", "guide/jobs.md", "adr/README.md"]
        );
        assert_eq!(summary.chapters().collect::<Vec<_>>(), ["start.md", "guide/jobs.md"]);
    }
}
