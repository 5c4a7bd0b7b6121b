//! The transaction through Dolmen.

use async_trait::async_trait;
use dolmen::{
    App, AppPorts, BoxError, EventPublisher, InlineModule, JobContext, JobError, Jobs, PortResult, TenantId,
    Uuid, WriteTx,
};
use dolmen_sql::{SqlDatabase, sql};

use super::{CUSTOMER, OrderPlaced, Ship, TOTAL_MINOR};
use crate::measure::Side;

pub(super) struct Ours {
    ports: AppPorts,
    events: EventPublisher,
    jobs: Jobs,
    tenant: TenantId,
}

impl Ours {
    pub(super) fn new(sql: &SqlDatabase) -> Self {
        let ports = AppPorts::from(sql.stores());
        let module = InlineModule::new(super::NAME.as_str(), |registrar| {
            registrar.event::<OrderPlaced>();
            registrar.subscribe("invoice", async |_: OrderPlaced, _: JobContext| Ok::<_, JobError>(()));
            registrar.job(async |_: Ship, _: JobContext| Ok::<_, JobError>(()));
        });
        // Publishing needs to know who subscribes.
        drop(App::builder(ports.clone()).module(module).build());
        Self { events: ports.events(), jobs: ports.jobs(), tenant: TenantId::new(ports.ids().next()), ports }
    }

    async fn place(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<()> {
        let order = id.to_string();
        sql!(
            "insert into bench_order (id, tenant, customer, total_minor) values (?, ?, ?, ?)",
            id,
            self.tenant,
            CUSTOMER,
            TOTAL_MINOR
        )
        .execute(tx)
        .await?;
        self.events.publish(tx, &OrderPlaced { order: order.clone(), total_minor: TOTAL_MINOR }).await?;
        self.jobs.enqueue_all(tx, &[Ship { order: order.clone() }, Ship { order }]).await?;
        Ok(())
    }
}

#[async_trait]
impl Side for Ours {
    async fn work(&self) -> Result<(), BoxError> {
        let id = self.ports.ids().next();
        self.ports.database().tenant(self.tenant).write(async |tx| self.place(tx, id).await).await?;
        Ok(())
    }
}
