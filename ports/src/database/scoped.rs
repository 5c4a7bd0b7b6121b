//! Opening transactions in a scope: `read`, `write`, `begin`.

use std::future::Future;

use super::client::ClientPosition;
use super::driver::{DatabaseDriver, ReadFrom, TxOptions};
use super::tx::{ReadTx, WriteTx};
use crate::error::{ErrorKind, PortError, PortResult, Retryable};
use crate::module::ModuleName;
use crate::tenant::Scope;

/// An async closure whose future is `Send`. Implemented by the compiler's own closures; nobody writes an impl.
///
/// `F: AsyncFn(&mut WriteTx) -> R` alone says nothing about the future, which then cannot be awaited in a spawned task.
pub trait TxFn<A, R>: Fn(A) -> Self::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}

impl<A, R, F, Fut> TxFn<A, R> for F
where
    F: Fn(A) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// As [`TxFn`], for a closure that runs once and may move what it captured.
pub trait TxFnOnce<A, R>: FnOnce(A) -> Self::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}

impl<A, R, F, Fut> TxFnOnce<A, R> for F
where
    F: FnOnce(A) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// The database in one scope; opens transactions.
#[derive(Debug, Clone, Copy)]
pub struct ScopedDatabase<'d> {
    driver: &'d dyn DatabaseDriver,
    options: TxOptions,
}

impl<'d> ScopedDatabase<'d> {
    /// How often `write` runs its closure at most, reruns after contention included.
    pub const MAX_RUNS: u32 = 4;

    pub(super) fn new(driver: &'d dyn DatabaseDriver, scope: Scope, module: Option<ModuleName>) -> Self {
        Self { driver, options: TxOptions::new(scope).with_module(module) }
    }

    /// Reads on the primary, in one transaction.
    ///
    /// # Errors
    /// What the closure returns; `Unavailable` or `Timeout` when no transaction can be had.
    ///
    /// # Cancel safety
    /// Dropping the future ends the transaction.
    pub fn read<'a, T, E, F>(self, work: F) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        'd: 'a,
        for<'t> F: AsyncFnOnce(&'t mut ReadTx) -> Result<T, E>
            + TxFnOnce<&'t mut ReadTx, Result<T, E>, Fut: Send>
            + Send
            + 'a,
        T: Send + 'a,
        E: From<PortError> + Send + 'a,
    {
        self.read_from(ReadFrom::Primary, work)
    }

    /// Reads on the primary or on a replica, in one transaction. What a client has to see of its own writes, it sees there
    /// too: see [`ClientPosition`].
    ///
    /// # Errors
    /// As [`ScopedDatabase::read`]. A replica that cannot be used is no error: the read goes to another one or to the
    /// primary.
    #[expect(clippy::manual_async_fn, reason = "the signature promises a Send future")]
    pub fn read_from<'a, T, E, F>(
        self,
        from: ReadFrom,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        'd: 'a,
        for<'t> F: AsyncFnOnce(&'t mut ReadTx) -> Result<T, E>
            + TxFnOnce<&'t mut ReadTx, Result<T, E>, Fut: Send>
            + Send
            + 'a,
        T: Send + 'a,
        E: From<PortError> + Send + 'a,
    {
        async move {
            let mut tx = self.begin_read(from).await?;
            let result = work(&mut tx).await;
            let end = tx.end().await;
            match result {
                Ok(value) => end.map(|()| value).map_err(E::from),
                Err(error) => Err(error),
            }
        }
    }

    /// Runs `work` in a transaction: commits when it returns `Ok`, rolls back when it returns `Err`.
    ///
    /// After `Contention` it waits a moment and runs `work` again in a new transaction, at most [`Self::MAX_RUNS`] times
    /// in all. So `work` may run more than once: it borrows what it captures, and does no I/O but the database's.
    ///
    /// # Errors
    /// What `work` returns. Otherwise the error of begin or commit; `Unavailable` or `Timeout` at commit means that it
    /// is unknown whether the writes took place.
    ///
    /// # Cancel safety
    /// Dropping the future before the commit rolls back.
    #[expect(clippy::manual_async_fn, reason = "the signature promises a Send future")]
    pub fn write<'a, T, E, F>(self, work: F) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        'd: 'a,
        for<'t> F: AsyncFn(&'t mut WriteTx) -> Result<T, E>
            + TxFn<&'t mut WriteTx, Result<T, E>, Fut: Send>
            + Send
            + Sync
            + 'a,
        T: Send + 'a,
        E: From<PortError> + Retryable + Send + 'a,
    {
        async move {
            let mut run = 1;
            loop {
                let error = match self.run_once(&work).await {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                };
                let contention = error.port_error().is_some_and(|e| e.kind() == ErrorKind::Contention);
                if !contention || run >= Self::MAX_RUNS {
                    return Err(error);
                }
                run += 1;
                self.driver.pause_before_rerun(run).await;
            }
        }
    }

    async fn run_once<T, E, F>(self, work: &F) -> Result<T, E>
    where
        for<'t> F: AsyncFn(&'t mut WriteTx) -> Result<T, E> + TxFn<&'t mut WriteTx, Result<T, E>, Fut: Send>,
        E: From<PortError>,
    {
        let mut tx = self.begin().await?;
        match work(&mut tx).await {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // The work's error is the one to report: a failed rollback only closes the connection.
                drop(tx.rollback().await);
                Err(error)
            }
        }
    }

    /// Begins a write transaction by hand, for loops that cannot be closures. Ends with `commit` or `rollback`.
    pub async fn begin(self) -> PortResult<WriteTx> {
        Ok(WriteTx::new(self.driver.begin_write(self.options).await?, self.options))
    }

    /// Begins a read transaction by hand. Ends with `end`.
    pub async fn begin_read(self, from: ReadFrom) -> PortResult<ReadTx> {
        let client = ClientPosition::current().filter(|_| from == ReadFrom::Replica);
        let seen = client.and_then(|client| client.seen());
        let options = self.options.with_from(from).with_after(seen);
        Ok(ReadTx::new(self.driver.begin_read(options).await?, options))
    }
}
