//! The business transaction: an order is stored, its event published to one subscription, two jobs enqueued.

mod ours;
mod plain;

use std::sync::Arc;

use dolmen::{BoxError, Event, Job, MigrationSet, ModuleName, migrations};
use dolmen_sql::{SqlDatabase, SqlOptions};
use serde::{Deserialize, Serialize};

use crate::measure::Sides;

const NAME: ModuleName = ModuleName::new("bench");
const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_bench");
const CUSTOMER: &str = "Ada Stone";
const TOTAL_MINOR: i64 = 12_345;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OrderPlaced {
    order: String,
    total_minor: i64,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "bench.order_placed.v1";
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ship {
    order: String,
}

impl Job for Ship {
    const KIND: &'static str = "bench.ship";
}

/// Both sides on one database: the same tables, the same durability, the same number of connections.
pub(crate) async fn sides(url: &str, writers: u32) -> Result<Sides, BoxError> {
    let options = SqlOptions::new().with_max_connections(writers).with_acquire_timeout(plain::PATIENCE);
    let sql = SqlDatabase::connect(url, options).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, MIGRATIONS]).await?;
    Ok(Sides { ours: Arc::new(ours::Ours::new(&sql)), plain: plain::connect(url, writers).await? })
}
