//! Tokens of sessions: random text for the caller, its hash for the table.

use dolmen_ports::{ErrorKind, PortError, PortResult, Secret, TokenHash};
use sha2::{Digest, Sha256};

/// 32 random bytes from the operating system as 64 hex digits.
pub(super) fn generate() -> PortResult<Secret<String>> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        PortError::new(ErrorKind::Internal, "sessions", "make a token")
            .with_detail("the operating system gave no random bytes")
            .with_source(error)
    })?;
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

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert_ne!(one.reveal(), other.reveal());
        assert_ne!(hash(&one), hash(&other));
    }
}
