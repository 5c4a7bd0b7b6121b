//! Faults that one process can play on a database by itself. What happened is counted and printed as JSON; the harness
//! judges it.

mod cancelled;
mod conflicts;
mod ledger;
mod leftovers;
mod lost_updates;
#[cfg(feature = "postgres")]
mod old_snapshots;
mod stale_plans;
mod stale_reads;

use clap::{Subcommand, ValueEnum};
use dolmen::BoxError;
use serde_json::Value;

/// What to play, and how much of it.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Play {
    /// F21: units of work are dropped at each of their awaits
    Cancelled {
        /// How often each unit is run through all of its awaits.
        rounds: u32,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
    /// F22: deadlocks, serialization failures and locks that are not had, on a server
    Conflicts {
        /// How many.
        count: u64,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
    /// F44: several writers change the same rows
    LostUpdates {
        /// How many changes.
        count: u64,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
    /// F23: long transactions keep dead rows from being removed while jobs come and go, on PostgreSQL
    #[cfg(feature = "postgres")]
    OldSnapshots {
        /// For how long.
        seconds: u64,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
    /// F28: the schema changes under transactions that run, on a server
    StalePlans {
        /// How often it changes.
        changes: u32,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
    /// F26: writes on one instance, reads on another one from replicas that are behind
    StaleReads {
        /// How many writes, each with its read.
        pairs: u64,
        /// The replicas, as `DATABASE_READ_URLS` names them.
        #[arg(long)]
        read_urls: String,
        /// The guard to leave out.
        #[arg(long)]
        sabotage: Option<LeftOut>,
    },
}

/// A guard that a play can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LeftOut {
    /// F21: a connection goes to its next borrower in the middle of a transaction.
    RecycledTransaction,
    /// F22: the effect of a unit is written outside of its transaction.
    EffectOutside,
    /// F44: neither version nor lock is looked at.
    NoVersionCheck,
    /// F23: claims begin at the very front.
    FromTheFront,
    /// F28: a transaction that met the change is not run again.
    NoRerun,
    /// F26: clients do not send their position.
    NoPosition,
}

/// Plays on the database of the URL; returns what happened.
pub(crate) async fn play(url: &str, play: Play) -> Result<Value, BoxError> {
    match play {
        Play::Cancelled { rounds, sabotage } => cancelled::play(url, rounds, sabotage.is_some()).await,
        Play::Conflicts { count, sabotage } => conflicts::play(url, count, sabotage.is_some()).await,
        Play::LostUpdates { count, sabotage } => lost_updates::play(url, count, sabotage.is_some()).await,
        #[cfg(feature = "postgres")]
        Play::OldSnapshots { seconds, sabotage } => {
            old_snapshots::play(url, seconds, sabotage.is_some()).await
        }
        Play::StaleReads { pairs, read_urls, sabotage } => {
            stale_reads::play(url, pairs, &read_urls, sabotage.is_some()).await
        }
        Play::StalePlans { changes, sabotage } => stale_plans::play(url, changes, sabotage.is_some()).await,
    }
}
