//! The book: every page is the documentation of a module here, so that its samples are compiled and run as doc tests.
//!
//! `cargo test -p dolmen-book --doc` runs them, `cargo xtask book` builds the book. This crate is for that alone: nothing
//! depends on it.
//!
//! # Examples
//! A sample of a page is an example like any other; lines that begin with `#` are compiled and not shown.
//! ```
//! # let hidden = 1;
//! assert_eq!(hidden + 1, 2);
//! ```

#[doc = include_str!("conformance.md")]
pub mod conformance {}
#[doc = include_str!("existing-service.md")]
pub mod existing_service {}
#[doc = include_str!("introduction.md")]
pub mod introduction {}
#[doc = include_str!("jobs.md")]
pub mod jobs {}
#[doc = include_str!("managed-databases.md")]
pub mod managed_databases {}
#[doc = include_str!("migrations.md")]
pub mod migrations {}
#[doc = include_str!("modules.md")]
pub mod modules {}
#[doc = include_str!("pgbouncer.md")]
pub mod pgbouncer {}
#[doc = include_str!("ports.md")]
pub mod ports {}
#[doc = include_str!("replicas.md")]
pub mod replicas {}
#[doc = include_str!("schedules.md")]
pub mod schedules {}
#[doc = include_str!("speed.md")]
pub mod speed {}
#[doc = include_str!("start.md")]
pub mod start {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("transactions.md")]
pub mod transactions {}

/// Decisions: what was chosen, why, and what follows. A record is never changed; a newer one replaces it.
pub mod adr {
    #[doc = include_str!("adr/0001-module-crates-carry-the-module-name.md")]
    pub mod module_names {}
    #[doc = include_str!("adr/0002-handlers-say-what-becomes-of-a-failed-job.md")]
    pub mod failed_jobs {}
    #[doc = include_str!("adr/0003-one-crate-for-time.md")]
    pub mod time {}
    #[doc = include_str!("adr/0004-the-heartbeat-is-its-own-thread.md")]
    pub mod heartbeat {}
    #[doc = include_str!("adr/0005-routes-are-data-to-core.md")]
    pub mod routes {}
    #[doc = include_str!("adr/0006-a-clients-position-follows-its-request.md")]
    pub mod client_position {}
    #[doc = include_str!("adr/0007-a-claim-is-one-row.md")]
    pub mod claims {}
    #[doc = include_str!("adr/0008-hints-follow-the-commit.md")]
    pub mod hints {}
    #[doc = include_str!("adr/0009-hints-without-notify.md")]
    pub mod hints_without_notify {}
    #[doc = include_str!("adr/0010-done-jobs-are-kept-by-the-batch.md")]
    pub mod done_jobs {}
    #[doc = include_str!("adr/0011-tasks-are-used-again.md")]
    pub mod runners {}
    #[doc = include_str!("adr/0012-connections-go-to-the-next.md")]
    pub mod connections {}
}
