//! Tells whether two bodies say the same.

use poem_openapi::types::ToJSON;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of what a body says: equal for equal content, whatever its spaces and the order of its fields.
///
/// # Examples
/// ```
/// use dolmen_poem::fingerprint;
/// assert_eq!(fingerprint(&"a".to_owned()), fingerprint(&"a".to_owned()));
/// assert_ne!(fingerprint(&"a".to_owned()), fingerprint(&"b".to_owned()));
/// ```
pub fn fingerprint(body: &impl ToJSON) -> [u8; 32] {
    let mut hash = Sha256::new();
    add(&mut hash, &body.to_json().unwrap_or_default());
    hash.finalize().into()
}

/// Keys are sorted here, because whether a JSON object keeps its order depends on features of other crates.
fn add(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                add(hash, item);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            hash.update(b"{");
            for (key, value) in entries {
                hash.update(Value::from(key.as_str()).to_string());
                hash.update(b":");
                add(hash, value);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        plain => hash.update(plain.to_string()),
    }
}
