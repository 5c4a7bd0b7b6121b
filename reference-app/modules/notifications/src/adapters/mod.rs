//! Where this module meets the outside.

pub(crate) mod sql;
