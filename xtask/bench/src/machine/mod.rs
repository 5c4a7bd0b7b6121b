//! What the machine gives to whom: processor time and memory, as Linux tells it.

mod cost;
mod server;
mod whole;

pub(crate) use self::cost::{Cpu, cores, memory_mib};
pub(crate) use self::server::DatabaseServer;
pub(crate) use self::whole::{Spent, Whole};
