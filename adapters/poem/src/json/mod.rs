//! JSON bodies: read strictly, held against their schema, then parsed.

mod body;
mod fingerprint;
mod format;
mod near;
mod reading;
mod schema;

pub use body::JsonBody;
pub use fingerprint::fingerprint;
