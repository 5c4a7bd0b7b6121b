//! Ids: time-ordered UUIDs, and newtypes so that an invoice's id is never taken for a customer's.

use std::fmt;

use uuid::{Timestamp as UuidTimestamp, Uuid};

use crate::time::{Clock, SystemClock};

/// Makes unique ids.
///
/// # Contract
/// - `ID-1` Two calls never return the same id, in any process.
/// - `ID-2` Ids of one generator ascend in byte order, so indexes grow at their end.
pub trait IdGenerator: fmt::Debug + Send + Sync + 'static {
    /// The next id.
    fn next(&self) -> Uuid;
}

/// UUID version 7 (RFC 9562): 48 bits of milliseconds, then a counter and random bits.
#[derive(Debug)]
pub struct UuidV7Ids<C = SystemClock> {
    clock: C,
    context: std::sync::Mutex<uuid::ContextV7>,
}

impl UuidV7Ids {
    /// Ids from the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }
}

impl Default for UuidV7Ids {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock> UuidV7Ids<C> {
    /// Ids from another clock.
    pub fn with_clock(clock: C) -> Self {
        Self { clock, context: std::sync::Mutex::new(uuid::ContextV7::new()) }
    }
}

impl<C: Clock> IdGenerator for UuidV7Ids<C> {
    fn next(&self) -> Uuid {
        let micros = self.clock.now().as_unix_micros().max(0).unsigned_abs();
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        let context = self.context.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(UuidTimestamp::from_unix(&*context, micros / 1_000_000, nanos))
    }
}

/// Defines a newtype over [`Uuid`] with parsing, display, serde and an OpenAPI schema.
///
/// # Examples
/// ```
/// dolmen_ports::define_id! {
///     /// Identifies an invoice.
///     pub struct InvoiceId;
/// }
/// let id: InvoiceId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
/// assert_eq!(id.to_string(), "0198c0de-0000-7000-8000-000000000001");
/// ```
#[macro_export]
macro_rules! define_id {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name($crate::Uuid);

        impl $name {
            /// Wraps a UUID that is known to be such an id.
            pub const fn new(id: $crate::Uuid) -> Self {
                Self(id)
            }
            /// The UUID inside.
            pub const fn as_uuid(self) -> $crate::Uuid {
                self.0
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::ParseIdError;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::parse_id(text).map(Self)
            }
        }
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }
        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <$crate::Uuid as $crate::serde::Deserialize>::deserialize(deserializer).map(Self)
            }
        }
    };
}

/// The text is not a UUID in its hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id; example: 0198c0de-0000-7000-8000-000000000001")]
pub struct ParseIdError;

/// Parses a UUID, only in its hyphenated form, so that one id has one spelling in URLs and caches.
pub fn parse_id(text: &str) -> Result<Uuid, ParseIdError> {
    if text.len() != 36 {
        return Err(ParseIdError);
    }
    Uuid::try_parse(text).map_err(|_| ParseIdError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend() {
        let ids = UuidV7Ids::new();
        let made: Vec<Uuid> = (0..1000).map(|_| ids.next()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        assert!(parse_id("0198c0de000070008000000000000001").is_err());
        assert!(parse_id("{0198c0de-0000-7000-8000-000000000001}").is_err());
        assert!(parse_id("0198c0de-0000-7000-8000-00000000000g").is_err());
    }
}
