//! Where this module meets the outside.

pub(crate) mod http;
pub(crate) mod sql;
