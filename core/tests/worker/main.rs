//! The worker on fakes: what becomes of jobs, whatever handlers, queue and process do.

#![cfg(test)]

mod admin;
mod calls;
mod last_chances;
mod leases;
mod load;
mod open_database;
mod outage;
mod retention;
mod shutdown;
mod spy;
mod support;
mod upkeep;
mod verdicts;
mod versions;
