//! Rust source as the checks see it: tokens without comments, strings and test modules.
//!
//! A full parser is not needed to find paths and visibility, and would be the largest dependency of xtask.

mod lexer;
mod paths;
mod test_code;

pub(crate) use self::lexer::{Token, tokens};
pub(crate) use self::paths::{crate_paths, is_path_start, module_path};
pub(crate) use self::test_code::{is_test_file, lines_of_code, test_lines, without_tests};
