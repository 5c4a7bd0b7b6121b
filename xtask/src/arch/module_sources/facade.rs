//! What a module shows: its `api` and its module struct.

use crate::arch::module_sources::part::Part;
use crate::findings::Problem;
use crate::rust_source::Token;

/// Finds public items in lib.rs that are neither `pub mod api` nor a re-export from `module`.
pub(super) fn check(part: &Part<'_>) -> Vec<Problem> {
    if part.name() != "lib" {
        return Vec::new();
    }
    let publics = part.tokens.iter().enumerate().filter(|(_, token)| token.is_word("pub"));
    publics
        .filter(|(index, _)| !is_allowed(part.tokens.get(index + 1..).unwrap_or_default()))
        .map(|(_, token)| {
            part.problem(
                token.line,
                "a module shows `pub mod api` and its module struct (`pub use module::…`), nothing else",
                "move what others need into api, or leave off `pub`",
            )
        })
        .collect()
}

/// `pub(…)`, `pub mod api` or `pub use module::…`, from the token after `pub`.
fn is_allowed(after: &[Token]) -> bool {
    let word = |index: usize| after.get(index).and_then(Token::word);
    match word(0) {
        None => true,
        Some("mod") => word(1) == Some("api"),
        Some("use") if matches!(word(1), Some("crate" | "self")) => word(4) == Some("module"),
        Some("use") => word(1) == Some("module"),
        Some(_) => false,
    }
}
