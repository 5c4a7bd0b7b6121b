//! Placing an order and shipping it: a request does the first, and its job does the second.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    AppPorts, Clock, Database, Event, EventPublisher, IdGenerator, JobContext, JobError, PortResult,
    TenantId, Uuid, WriteTx,
};
use dolmen_sql::sql;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OrderPlaced {
    /// Each request has its own: what it led to is found by it.
    pub(crate) number: i64,
    pub(crate) customer: String,
    /// How long the carrier takes to answer, in milliseconds.
    pub(crate) carrier_ms: u64,
    /// Microseconds since 1970, before the transaction began.
    pub(crate) placed_at_us: i64,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "bench.order_placed.v1";
}

#[derive(Debug)]
pub(super) struct Orders {
    database: Database,
    events: EventPublisher,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    tenant: TenantId,
}

impl Orders {
    pub(super) fn new(ports: &AppPorts) -> Self {
        Self {
            database: ports.database().clone(),
            events: ports.events(),
            clock: Arc::clone(ports.clock()),
            ids: Arc::clone(ports.ids()),
            tenant: TenantId::new(Uuid::from_u128(7)),
        }
    }

    /// One transaction: a row of the business, an event, and its job.
    pub(super) async fn place(&self, number: i64, customer: &str, total_minor: i64) -> PortResult<Uuid> {
        let placed_at_us = self.clock.now().as_unix_micros();
        let placed = OrderPlaced { number, customer: customer.to_owned(), carrier_ms: 0, placed_at_us };
        let id = self.ids.next();
        let write = self.database.tenant(self.tenant).write(async |tx: &mut WriteTx| -> PortResult<()> {
            sql!(
                "insert into bench_order (id, tenant, number, customer, total_minor) values (?, ?, ?, ?, ?)",
                id,
                self.tenant,
                number,
                customer,
                total_minor
            )
            .execute(tx)
            .await?;
            self.events.publish(tx, &placed).await?;
            Ok(())
        });
        write.await?;
        Ok(id)
    }

    /// Calls the carrier; then one transaction: the effect, and the completion of the job.
    pub(super) async fn ship(&self, placed: &OrderPlaced, context: &JobContext) -> Result<(), JobError> {
        let started_after_us = self.clock.now().as_unix_micros() - placed.placed_at_us;
        let number = placed.number;
        if placed.carrier_ms > 0 {
            sleep(Duration::from_millis(placed.carrier_ms)).await;
        }
        let effect = async |tx: &mut WriteTx| -> PortResult<()> {
            sql!(
                "insert into bench_shipment (number, started_after_us) values (?, ?)",
                number,
                started_after_us
            )
            .execute(tx)
            .await?;
            Ok(())
        };
        context.complete(effect).await?;
        Ok(())
    }
}
