//! What every harness is.

use async_trait::async_trait;
use dolmen_ports::Database;

/// Makes the thing under test available to one case. Each case gets a fresh one, empty and alone.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Removes what the case left behind on a server. Called after the case, whether it passed or not.
    async fn tear_down(&self) {}
}

/// A harness of a port that lives in the transactions of a database.
pub trait TransactionHarness: Harness {
    /// The database whose transactions the port joins.
    fn database(&self) -> &Database;
}
