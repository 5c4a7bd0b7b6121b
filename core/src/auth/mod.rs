//! Sessions: a token that stands for a principal until it expires.

mod authenticator;
mod randomness;
mod sessions;
mod token;

pub use authenticator::SessionAuthenticator;
pub use randomness::{OsRandomness, Randomness};
pub use sessions::{OpenedSession, Sessions};
