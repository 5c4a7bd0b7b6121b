//! Invoicing for small companies: the reference application of Dolmen, and a template to start from.
//!
//! Thin on purpose: [`config`] reads the environment, [`platform`] chooses the adapters, [`modules`] puts the five modules
//! together. `main` does these three and runs; tests do the same and look.

pub mod command;
pub mod config;
pub mod demo;
pub mod failure;
pub mod modules;
pub mod platform;
pub mod print;
pub mod welcome;
