//! Bad days, on demand: a [database that fails](FaultyDatabase) where a test says, and a [network](Proxy) between a program
//! and a real server.

mod database;
mod proxy;
mod relay;

pub use database::{Faults, FaultyDatabase, Step};
pub use proxy::{Network, Proxy};
