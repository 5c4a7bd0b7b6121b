//! The place of the tables in a page of the book.

use crate::failure::{Failure, Outcome};

const BEGIN: &str = "<!-- tables of cargo xtask conformance -->\n";
const END: &str = "<!-- end of the tables -->\n";

/// The page with these tables in their place.
pub(super) fn with_tables(page: &str, tables: &str) -> Outcome<String> {
    let missing =
        |mark: &str| Failure::new(format!("the page has no line `{}`; put it back", mark.trim_end()));
    let (before, rest) = page.split_once(BEGIN).ok_or_else(|| missing(BEGIN))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    Ok([before, BEGIN, "\n", tables, "\n", END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_between_their_marks() {
        let page = format!("# A\n\n{BEGIN}old\n{END}\nmore\n");
        let updated = with_tables(&page, "| a |\n").expect("a page");
        assert_eq!(updated, format!("# A\n\n{BEGIN}\n| a |\n\n{END}\nmore\n"));
        assert_eq!(with_tables(&updated, "| a |\n").expect("a page"), updated);
    }

    #[test]
    fn a_page_without_marks_is_refused() {
        assert!(with_tables("# A\n", "| a |\n").is_err());
    }
}
