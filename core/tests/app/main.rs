//! Tests of the application as a whole, on fakes.

mod support;
mod verify;
