//! All tables at one moment.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dolmen_ports::{ErrorKind, PortError, PortResult};

/// All tables at one moment. A clone shares its tables until one of the two writes.
#[derive(Clone, Default)]
pub(super) struct World {
    tables: BTreeMap<&'static str, Arc<dyn Any + Send + Sync>>,
}

impl World {
    /// The rows of a table; `None` when nothing was ever written to it.
    pub(super) fn rows<K, V>(&self, table: &'static str) -> PortResult<Option<&BTreeMap<K, V>>>
    where
        K: 'static,
        V: 'static,
    {
        let Some(rows) = self.tables.get(table) else { return Ok(None) };
        rows.downcast_ref().map(Some).ok_or_else(|| other_type(table))
    }

    /// The rows of a table, to change; copied first when another world shares them.
    pub(super) fn rows_mut<K, V>(&mut self, table: &'static str) -> PortResult<&mut BTreeMap<K, V>>
    where
        K: Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let rows = self.tables.entry(table).or_insert_with(|| Arc::new(BTreeMap::<K, V>::new()));
        if Arc::get_mut(rows).is_none() {
            let copy = rows.downcast_ref::<BTreeMap<K, V>>().ok_or_else(|| other_type(table))?.clone();
            *rows = Arc::new(copy);
        }
        Arc::get_mut(rows).and_then(|rows| rows.downcast_mut()).ok_or_else(|| other_type(table))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tables.keys()).finish()
    }
}

fn other_type(table: &str) -> PortError {
    PortError::new(ErrorKind::Internal, "database", "open a table").with_detail(format!(
        "table {table} holds rows of another type; two MemoryTables must not share a name"
    ))
}
