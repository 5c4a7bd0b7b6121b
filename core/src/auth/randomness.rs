//! Where secrets come from.

use std::fmt;

use dolmen_ports::{ErrorKind, PortError, PortResult};

/// Makes bytes that nobody can guess. Tests bring bytes of their own.
pub trait Randomness: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// `Unavailable` when there is no randomness to be had; never a weaker one.
    fn fill(&self, bytes: &mut [u8]) -> PortResult<()>;
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, bytes: &mut [u8]) -> PortResult<()> {
        getrandom::fill(bytes).map_err(|error| {
            PortError::new(ErrorKind::Unavailable, "randomness", "fill")
                .with_detail("the operating system gave no random bytes")
                .with_source(error)
        })
    }
}
