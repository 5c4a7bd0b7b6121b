//! A typed table, with which a module's fake repository is short and rolls back.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeBounds;

use dolmen_ports::{ErrorKind, PortError, PortResult, ReadTx, WriteTx};

use super::tx::MemoryTx;

/// A table of [`MemoryDatabase`](super::MemoryDatabase): a name and two types. The rows lie in the database, so two handles
/// with one name are one table, and a handle can be a constant.
///
/// # Examples
/// The fake repository of a module:
/// ```
/// use dolmen_ports::{PortResult, ReadTx, TenantId, WriteTx};
/// use dolmen_testkit::fakes::MemoryTable;
/// #[derive(Clone)]
/// struct Customer { id: u32, name: String }
///
/// #[derive(Debug)]
/// struct MemoryCustomers { rows: MemoryTable<(TenantId, u32), Customer> }
///
/// impl MemoryCustomers {
///     fn new() -> Self {
///         Self { rows: MemoryTable::new("customers_customer") }
///     }
///     async fn add(&self, tx: &mut WriteTx, customer: Customer) -> PortResult<()> {
///         let tenant = tx.tenant()?;
///         self.rows.insert(tx, (tenant, customer.id), customer)
///     }
///     async fn find(&self, tx: &mut ReadTx, id: u32) -> PortResult<Option<Customer>> {
///         let tenant = tx.tenant()?;
///         self.rows.get(tx, &(tenant, id))
///     }
/// }
/// ```
pub struct MemoryTable<K, V> {
    name: &'static str,
    row: PhantomData<fn() -> (K, V)>,
}

impl<K, V> MemoryTable<K, V> {
    /// The table of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, row: PhantomData }
    }
}

impl<K, V> MemoryTable<K, V>
where
    K: Ord + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The row under a key.
    pub fn get(&self, tx: &mut ReadTx, key: &K) -> PortResult<Option<V>> {
        Ok(self.rows(tx)?.and_then(|rows| rows.get(key)).cloned())
    }

    /// Whether there is a row under a key.
    pub fn contains(&self, tx: &mut ReadTx, key: &K) -> PortResult<bool> {
        Ok(self.rows(tx)?.is_some_and(|rows| rows.contains_key(key)))
    }

    /// The rows of a range of keys, in their order.
    pub fn range(&self, tx: &mut ReadTx, range: impl RangeBounds<K>) -> PortResult<Vec<(K, V)>> {
        let Some(rows) = self.rows(tx)? else { return Ok(Vec::new()) };
        Ok(rows.range(range).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// The rows that `keep` picks, in the order of their keys.
    pub fn scan(&self, tx: &mut ReadTx, keep: impl Fn(&K, &V) -> bool) -> PortResult<Vec<(K, V)>> {
        let Some(rows) = self.rows(tx)? else { return Ok(Vec::new()) };
        let kept = rows.iter().filter(|(key, value)| keep(key, value));
        Ok(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// How many rows there are.
    pub fn len(&self, tx: &mut ReadTx) -> PortResult<usize> {
        Ok(self.rows(tx)?.map_or(0, BTreeMap::len))
    }

    /// Whether there is no row.
    pub fn is_empty(&self, tx: &mut ReadTx) -> PortResult<bool> {
        Ok(self.len(tx)? == 0)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a row under this key.
    pub fn insert(&self, tx: &mut WriteTx, key: K, value: V) -> PortResult<()> {
        self.insert_through(tx, key, value)
    }

    /// Adds a row, or replaces the one under this key; returns the one before.
    pub fn put(&self, tx: &mut WriteTx, key: K, value: V) -> PortResult<Option<V>> {
        Ok(self.rows_mut(tx)?.insert(key, value))
    }

    /// Changes the row under a key; `None` when there is none.
    pub fn update<R>(
        &self,
        tx: &mut WriteTx,
        key: &K,
        change: impl FnOnce(&mut V) -> R,
    ) -> PortResult<Option<R>> {
        Ok(self.rows_mut(tx)?.get_mut(key).map(change))
    }

    /// Removes the row under a key; returns it.
    pub fn remove(&self, tx: &mut WriteTx, key: &K) -> PortResult<Option<V>> {
        Ok(self.rows_mut(tx)?.remove(key))
    }

    /// As `insert`, through a handle that may turn out to be read-only: the database has to refuse that (`DB-3`).
    pub(crate) fn insert_through(&self, tx: &mut ReadTx, key: K, value: V) -> PortResult<()> {
        let rows = self.rows_mut(tx)?;
        if rows.contains_key(&key) {
            return Err(PortError::new(ErrorKind::AlreadyExists, "database", "insert a row")
                .with_detail(format!("table {} has a row under this key", self.name)));
        }
        rows.insert(key, value);
        Ok(())
    }

    fn rows<'t>(&self, tx: &'t mut ReadTx) -> PortResult<Option<&'t BTreeMap<K, V>>> {
        tx.driver_mut::<MemoryTx>()?.rows(self.name)
    }

    fn rows_mut<'t>(&self, tx: &'t mut ReadTx) -> PortResult<&'t mut BTreeMap<K, V>> {
        tx.driver_mut::<MemoryTx>()?.rows_mut(self.name)
    }
}

// By hand, because a derive would ask the row types for the same.
impl<K, V> Clone for MemoryTable<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for MemoryTable<K, V> {}

impl<K, V> fmt::Debug for MemoryTable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryTable").field(&self.name).finish()
    }
}
