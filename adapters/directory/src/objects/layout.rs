//! Where an object's file lies, and which object a file is.
//!
//! A file keeps the last segment of its key as its name, so that `reports/2026-10.csv` opens with the right program. The
//! rest is made so that every key that the port allows works on every file system:
//! - directories end in `~`, which no key contains: `a` and `a/b` are the file `a` and the file `b` in `a~`;
//! - a capital letter is `^` and the small one, because macOS takes `A` and `a` for the same name;
//! - of a long segment, each 100 characters but the last are a directory that ends in `~~`, because names end at 255
//!   bytes;
//! - our own directories begin with `.~`, so no key collides with them.

use std::path::{Path, PathBuf};

use dolmen_ports::ObjectKey;

/// Half of what a name can hold, because each character may take two, with room for `~~`.
const CHUNK: usize = 100;

/// The path of an object's file, below the root.
pub(super) fn path_of(root: &Path, key: &ObjectKey) -> PathBuf {
    let mut path = root.to_owned();
    let mut segments = key.as_str().split('/').peekable();
    while let Some(segment) = segments.next() {
        let mut rest = segment;
        while let Some((chunk, more)) = rest.split_at_checked(CHUNK).filter(|(_, more)| !more.is_empty()) {
            path.push(encode(chunk) + "~~");
            rest = more;
        }
        path.push(if segments.peek().is_some() { encode(rest) + "~" } else { encode(rest) });
    }
    path
}

/// What the name of a directory adds to the keys below it; `None` when it is not ours.
pub(super) fn directory_part(name: &str) -> Option<String> {
    match name.strip_suffix("~~") {
        Some(chunk) => decode(chunk),
        None => Some(decode(name.strip_suffix('~')?)? + "/"),
    }
}

/// What the name of a file adds to the key; `None` when it is not ours.
pub(super) fn file_part(name: &str) -> Option<String> {
    decode(name)
}

fn encode(part: &str) -> String {
    let mut name = String::with_capacity(part.len() + 2);
    for c in part.chars() {
        if c.is_ascii_uppercase() {
            name.push('^');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn decode(name: &str) -> Option<String> {
    let mut part = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '^' => part.push(chars.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            'a'..='z' | '0'..='9' => part.push(c),
            _ if "_-.=+@!".contains(c) => part.push(c),
            _ => return None,
        }
    }
    (!part.is_empty()).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relative(key: &str) -> String {
        path_of(Path::new(""), &ObjectKey::parse(key).unwrap()).to_str().unwrap().to_owned()
    }

    fn back(path: &str) -> Option<String> {
        let (directories, file) = path.rsplit_once('/').unwrap_or(("", path));
        let parts: Option<String> =
            directories.split('/').filter(|name| !name.is_empty()).map(directory_part).collect();
        Some(parts? + &file_part(file)?)
    }

    #[test]
    fn a_file_keeps_the_name_of_its_object() {
        assert_eq!(relative("reports/2026-10.csv"), "reports~/2026-10.csv");
        assert_eq!(relative("A/b"), "^a~/b");
    }

    #[test]
    fn every_key_has_a_place_of_its_own_and_comes_back() {
        let long = "L".repeat(512);
        let keys = [
            "a",
            "A",
            "a/b",
            "a/b/c",
            "a.",
            "a./b",
            ".tmp",
            ".tmp/x",
            "...",
            "CON",
            "=+@!_-.",
            &long,
            &long[..100],
            &long[..101],
            &long[..200],
            &long[..201],
        ];
        let mut places = std::collections::BTreeSet::new();
        for key in keys {
            let path = relative(key);
            assert!(path.split('/').all(|name| name.len() <= 255), "{path}");
            assert_eq!(back(&path).as_deref(), Some(key));
            assert!(places.insert(path.to_lowercase()), "{key} shares its place");
        }
    }

    #[test]
    fn names_of_others_are_no_objects() {
        for name in [".~tmp", ".DS_Store", "a b", "~", "~~", "^", "^1", "é"] {
            assert_eq!(file_part(name), None, "{name}");
        }
        for name in [".~tmp", ".~locks", "plain", "~", "~~"] {
            assert_eq!(directory_part(name), None, "{name}");
        }
    }
}
