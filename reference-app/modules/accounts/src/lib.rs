//! Accounts: tenants, their users, and signing in.
//!
//! Owns the tables `accounts_tenant` and `accounts_user`. Sessions are kept through the session port.

mod adapters;
pub mod api;
mod application;
mod domain;
mod module;
mod ports;
#[cfg(test)]
mod tests;

pub use module::{AccountsModule, AccountsPorts, DEMO_USER};
