//! Tests of the application as a whole, on fakes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod events;
mod lifecycle;
mod once;
mod sessions;
mod support;
mod verify;
