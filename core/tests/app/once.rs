//! Work under a sender's key: once, with the first outcome for every repetition.

use std::sync::atomic::{AtomicU32, Ordering};

use dolmen::{
    ErrorKind, IdempotencyMismatch, InboxKey, PortError, Retryable, TenantId, Uuid, WriteTx, fingerprint,
    idempotent,
};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryInbox, MemoryTable};
use serde::{Deserialize, Serialize};

const ORDERS: MemoryTable<u32, String> = MemoryTable::new("orders");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u32,
}

#[derive(Debug, thiserror::Error)]
enum PlaceOrderError {
    #[error("out of stock")]
    OutOfStock,
    #[error(transparent)]
    KeyReused(#[from] IdempotencyMismatch),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for PlaceOrderError {
    fn port_error(&self) -> Option<&PortError> {
        if let Self::Port(error) = self { Some(error) } else { None }
    }
}

struct Shop {
    database: MemoryDatabase,
    inbox: MemoryInbox,
    runs: AtomicU32,
}

impl Shop {
    fn new() -> Self {
        let database = MemoryDatabase::new();
        Self { inbox: MemoryInbox::new(&database), database, runs: AtomicU32::new(0) }
    }

    async fn place(&self, tenant: u128, key: &str, body: &str) -> Result<Order, PlaceOrderError> {
        let key = InboxKey::new("orders.place_order", key);
        let content = fingerprint(&[body.as_bytes()]);
        let insert = async |tx: &mut WriteTx| {
            let number = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
            ORDERS.insert(tx, number, body.to_owned())?;
            if body == "unicorn" { Err(PlaceOrderError::OutOfStock) } else { Ok(Order { number }) }
        };
        self.database
            .database()
            .tenant(TenantId::new(Uuid::from_u128(tenant)))
            .write(async |tx| idempotent(&self.inbox, tx, &key, content, insert).await)
            .await
    }

    async fn orders(&self) -> usize {
        self.database.database().system().read(async |tx| ORDERS.len(tx)).await.unwrap()
    }
}

#[tokio::test]
async fn a_repetition_gets_the_first_outcome_and_does_nothing() {
    let shop = Shop::new();
    let first = shop.place(1, "k", "menhir").await.unwrap();
    let again = shop.place(1, "k", "menhir").await.unwrap();
    assert_eq!((first, again), (Order { number: 1 }, Order { number: 1 }));
    assert_eq!((shop.orders().await, shop.runs.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_key_with_other_content_is_refused() {
    let shop = Shop::new();
    shop.place(1, "k", "menhir").await.unwrap();
    let error = shop.place(1, "k", "boar").await.unwrap_err();
    assert!(matches!(error, PlaceOrderError::KeyReused(IdempotencyMismatch)), "{error}");
    assert_eq!(shop.orders().await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant() {
    let shop = Shop::new();
    shop.place(1, "k", "menhir").await.unwrap();
    assert_eq!(shop.place(2, "k", "boar").await.unwrap(), Order { number: 2 });
}

#[tokio::test]
async fn work_that_failed_leaves_its_key_free() {
    let shop = Shop::new();
    assert!(matches!(shop.place(1, "k", "unicorn").await, Err(PlaceOrderError::OutOfStock)));
    assert_eq!(shop.orders().await, 0);
    shop.place(1, "k", "menhir").await.unwrap();
    assert_eq!(shop.orders().await, 1);
}

#[tokio::test]
async fn a_key_that_breaks_its_rule_is_refused_before_the_work() {
    let shop = Shop::new();
    let error = shop.place(1, "", "menhir").await.unwrap_err();
    assert_eq!(error.port_error().map(PortError::kind), Some(ErrorKind::InvalidInput));
    assert_eq!(shop.runs.load(Ordering::SeqCst), 0);
}
