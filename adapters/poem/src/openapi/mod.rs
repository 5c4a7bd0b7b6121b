//! The document: from poem-openapi's 3.0 per API to one in 3.1 for the whole program.

mod lift;
mod merge;
mod problems;
mod schema;

pub(crate) use lift::{lift, pattern_of};
pub(crate) use merge::merge;
