//! Reading the bytes of a statement in `const` code: words, quotes, white space.
#![expect(
    clippy::indexing_slicing,
    reason = "const fn has no iterators; every index is compared with the length"
)]

/// Whether two byte strings are equal, upper and lower case taken as one.
pub(crate) const fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && starts_with(left, right)
}

/// Whether `text` starts with `prefix`, upper and lower case taken as one.
pub(crate) const fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    if text.len() < prefix.len() {
        return false;
    }
    let mut index = 0;
    while index < prefix.len() {
        if !text[index].eq_ignore_ascii_case(&prefix[index]) {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether the byte belongs to a word: a keyword or a name.
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The position after the white space that starts at `at`.
pub(crate) const fn skip_space(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at].is_ascii_whitespace() {
        at += 1;
    }
    at
}

/// The position after the word that starts at `at`.
pub(crate) const fn skip_word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && is_word(text[at]) {
        at += 1;
    }
    at
}

/// The position after the quoted text whose opening quote is at `at`; none when it does not end.
pub(crate) const fn skip_quoted(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    while at < text.len() {
        if text[at] == b'\'' {
            return Some(at + 1);
        }
        at += 1;
    }
    None
}

/// The bytes from `from` to `to`.
pub(crate) const fn between(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.split_at(to).0.split_at(from).1
}

/// The byte at `at`, or 0 after the end.
pub(crate) const fn byte(text: &[u8], at: usize) -> u8 {
    if at < text.len() { text[at] } else { 0 }
}
