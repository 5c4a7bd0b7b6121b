//! What handlers take: the caller, ids, preconditions, keys, pages.

mod authenticated;
mod cursor;
mod id;
mod idempotency_key;
mod if_match;
mod marker;
mod page;
mod rfc3339;
mod single_header;

pub use authenticated::Authenticated;
pub(crate) use authenticated::BEARER;
pub use cursor::Cursor;
pub use id::Id;
pub use idempotency_key::IdempotencyKey;
pub use if_match::{ETag, IfMatch};
pub(crate) use marker::{Marker, expand};
pub use page::{Page, PageOf};
pub use rfc3339::Rfc3339;
pub(crate) use single_header::single_header;
