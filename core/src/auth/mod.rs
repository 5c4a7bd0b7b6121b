//! Sessions: a token that stands for a principal until it expires.

mod authenticator;
mod sessions;
mod token;

pub use authenticator::SessionAuthenticator;
pub use sessions::{OpenedSession, Sessions};
