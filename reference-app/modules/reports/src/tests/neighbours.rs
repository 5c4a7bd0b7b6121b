//! What reports need around them: two tenants, what they earned, and an object store that can be down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accounts::api::Accounts;
use async_trait::async_trait;
use dolmen_ports::{
    Bytes, ErrorKind, ListRequest, Object, ObjectKey, ObjectMeta, ObjectStore, ObjectVersion, PortError,
    PortResult, PutOptions, ReadTx, TenantId, Timestamp, Uuid,
};
use dolmen_testkit::fakes::MemoryObjectStore;
use invoices::api::{Invoices, Revenue};

pub(super) const ADA: TenantId = TenantId::new(Uuid::from_u128(1));
pub(super) const BOB: TenantId = TenantId::new(Uuid::from_u128(2));

#[derive(Debug)]
pub(super) struct TwoTenants;

#[async_trait]
impl Accounts for TwoTenants {
    async fn tenants(&self, _: &mut ReadTx) -> PortResult<Vec<TenantId>> {
        Ok(vec![ADA, BOB])
    }

    async fn tenant_name(&self, _: &mut ReadTx) -> PortResult<String> {
        Ok("Stonework Ltd".to_owned())
    }
}

/// Ada earned 300 cents in each month, Bob nothing.
#[async_trait]
impl Invoices for TwoTenants {
    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>> {
        assert!(from < to);
        Ok(if tx.tenant()? == ADA { vec![Revenue::new("EUR", 2, 300)] } else { Vec::new() })
    }
}

/// Objects in memory, as long as they are not down.
#[derive(Debug, Clone)]
pub(super) struct FragileObjects {
    pub(super) objects: MemoryObjectStore,
    pub(super) down: Arc<AtomicBool>,
}

#[async_trait]
impl ObjectStore for FragileObjects {
    async fn put(&self, key: &ObjectKey, bytes: Bytes, options: PutOptions) -> PortResult<ObjectVersion> {
        if self.down.load(Ordering::SeqCst) {
            return Err(PortError::new(ErrorKind::Unavailable, "objects", "put"));
        }
        self.objects.put(key, bytes, options).await
    }

    async fn get(&self, key: &ObjectKey) -> PortResult<Object> {
        self.objects.get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> PortResult<ObjectMeta> {
        self.objects.head(key).await
    }

    async fn delete(&self, key: &ObjectKey) -> PortResult<()> {
        self.objects.delete(key).await
    }

    async fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>> {
        self.objects.list(request).await
    }

    async fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String> {
        self.objects.link(key, valid_for).await
    }
}
