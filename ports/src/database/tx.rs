//! Transaction handles: opaque, scoped, and honest about reading and writing.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::client::ClientPosition;
use super::driver::{TxDriver, TxOptions};
use crate::error::{ErrorKind, PortError, PortResult};
use crate::module::ModuleName;
use crate::tenant::{Scope, TenantId};

/// A transaction that can read. Functions that only query take `&mut ReadTx`; a `&mut WriteTx` goes there too.
#[derive(Debug)]
pub struct ReadTx {
    driver: Box<dyn TxDriver>,
    options: TxOptions,
}

impl ReadTx {
    /// Wraps an adapter's transaction. For adapters.
    pub fn new(driver: Box<dyn TxDriver>, options: TxOptions) -> Self {
        Self { driver, options }
    }

    /// Whose data it may touch.
    pub fn scope(&self) -> Scope {
        self.options.scope
    }

    /// The tenant whose data it may touch.
    ///
    /// # Errors
    /// `InvalidInput` in the system scope.
    pub fn tenant(&self) -> PortResult<TenantId> {
        self.options.scope.tenant().ok_or_else(|| {
            PortError::new(ErrorKind::InvalidInput, "database", "tell the tenant")
                .with_detail("the transaction has the system scope; open it with database.tenant(id)")
        })
    }

    /// The module that it belongs to.
    pub fn module(&self) -> Option<ModuleName> {
        self.options.module
    }

    /// The name of the backend.
    pub fn backend(&self) -> &'static str {
        self.driver.backend()
    }

    /// The adapter's own transaction; the one downcast of each adapter crate.
    ///
    /// # Errors
    /// `WrongBackend` when the transaction belongs to another adapter.
    pub fn driver_mut<D: TxDriver>(&mut self) -> PortResult<&mut D> {
        let backend = self.driver.backend();
        find_driver(&mut *self.driver).ok_or_else(|| {
            PortError::new(ErrorKind::WrongBackend, "database", "use the transaction").with_detail(format!(
                "the transaction belongs to {backend}, the caller wants {}; wire one database everywhere",
                std::any::type_name::<D>()
            ))
        })
    }

    /// Ends it.
    pub async fn end(self) -> PortResult<()> {
        self.driver.rollback().await
    }
}

/// The driver of type `D`: this one, or one that it wraps.
fn find_driver<D: TxDriver>(driver: &mut dyn TxDriver) -> Option<&mut D> {
    let is_wanted = (&*driver as &dyn Any).is::<D>();
    if is_wanted { (driver as &mut dyn Any).downcast_mut() } else { find_driver(driver.inner_mut()?) }
}

/// A transaction that can read and write. Dropping it rolls back.
pub struct WriteTx {
    read: ReadTx,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl WriteTx {
    /// Wraps an adapter's transaction, or one that a caller's own code has open. For adapters.
    pub fn new(driver: Box<dyn TxDriver>, options: TxOptions) -> Self {
        Self { read: ReadTx::new(driver, options), after_commit: Vec::new() }
    }

    /// Runs `hook` right after a commit; for hints such as waking a worker of this process.
    ///
    /// A hook is lost when the process dies between commit and hook, so nothing may depend on it.
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(hook));
    }

    /// Makes the writes durable and visible, then runs the hooks.
    ///
    /// # Errors
    /// `Contention` means that nothing was committed; after `Unavailable` or `Timeout` it is unknown, and the client
    /// that has the position of such a commit sees on replicas what became of it.
    pub async fn commit(mut self) -> PortResult<()> {
        let in_doubt = self.read.driver.position_in_doubt();
        let committed = self.read.driver.commit().await;
        let position = match &committed {
            Ok(position) => *position,
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout) => in_doubt,
            Err(_) => None,
        };
        if let (Some(position), Some(client)) = (position, ClientPosition::current()) {
            client.advance(position);
        }
        committed?;
        for hook in self.after_commit {
            hook();
        }
        Ok(())
    }

    /// Undoes the writes.
    pub async fn rollback(self) -> PortResult<()> {
        self.read.driver.rollback().await
    }
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.read
    }
}

impl fmt::Debug for WriteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteTx")
            .field("read", &self.read)
            .field("after_commit", &self.after_commit.len())
            .finish()
    }
}
