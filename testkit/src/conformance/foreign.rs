//! A transaction that belongs to no adapter.

use async_trait::async_trait;
use dolmen_ports::database::TxOptions;
use dolmen_ports::{PortResult, Position, Scope, TxDriver, WriteTx};

#[derive(Debug)]
struct ForeignTx;

#[async_trait]
impl TxDriver for ForeignTx {
    fn backend(&self) -> &'static str {
        "foreign"
    }

    async fn commit(self: Box<Self>) -> PortResult<Option<Position>> {
        Ok(None)
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        Ok(())
    }
}

/// A transaction that every adapter has to refuse (`DB-7`).
pub(super) fn foreign_tx() -> WriteTx {
    WriteTx::new(Box::new(ForeignTx), TxOptions::new(Scope::System))
}
