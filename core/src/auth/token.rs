//! Tokens of sessions: random text for the caller, its hash for the table.

use dolmen_ports::{PortResult, Secret, TokenHash};
use sha2::{Digest, Sha256};

use super::randomness::Randomness;

/// 32 random bytes as 64 hex digits.
pub(super) fn generate(randomness: &dyn Randomness) -> PortResult<Secret<String>> {
    let mut bytes = [0_u8; 32];
    randomness.fill(&mut bytes)?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 15));
    }
    Ok(Secret::new(text))
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0')
}

/// A token is random and long, so a plain hash is enough: there is nothing to guess.
pub(super) fn hash(token: &Secret<String>) -> TokenHash {
    TokenHash(Sha256::digest(token.reveal().as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::OsRandomness;

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (generate(&OsRandomness).unwrap(), generate(&OsRandomness).unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert_ne!(one.reveal(), other.reveal());
        assert_ne!(hash(&one), hash(&other));
    }
}
