//! An object store in memory, with links that it checks itself.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    Bytes, Clock, ErrorKind, LinkVerifier, ListRequest, Object, ObjectKey, ObjectMeta, ObjectStore,
    ObjectVersion, PortError, PortResult, PutMode, PutOptions, Timestamp, check_link_validity,
    check_list_request, check_put_options,
};

use super::clock::ManualClock;

/// An object store in memory. A clone is the same store.
///
/// Its links are paths of the form `/objects/KEY?QUERY`; it verifies them itself, by its clock.
#[derive(Debug, Clone)]
pub struct MemoryObjectStore {
    state: Arc<Mutex<State>>,
    clock: ManualClock,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<ObjectKey, Object>,
    /// How many writes and links there were; versions and link secrets are made from it.
    count: u64,
    links: BTreeMap<String, (ObjectKey, Timestamp)>,
}

impl MemoryObjectStore {
    /// An empty store with a clock of its own.
    pub fn new() -> Self {
        Self::with_clock(ManualClock::new())
    }

    /// An empty store whose time is `clock`.
    pub fn with_clock(clock: ManualClock) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// The clock by which its links expire.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryObjectStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn find(&self, key: &ObjectKey, operation: &'static str) -> PortResult<&Object> {
        self.objects.get(key).ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, "objects", operation).with_detail(format!("no object {key}"))
        })
    }

    fn check_mode(&self, key: &ObjectKey, mode: &PutMode) -> PortResult<()> {
        let current = self.objects.get(key).map(|object| &object.meta.version);
        let refuse = |kind, rule: &str| {
            Err(PortError::new(kind, "objects", "put").with_detail(format!("object {key} {rule}")))
        };
        match (mode, current) {
            (PutMode::Create, Some(_)) => refuse(ErrorKind::AlreadyExists, "is there"),
            (PutMode::Replace(expected), current) if current != Some(expected) => {
                refuse(ErrorKind::Conflict, "has another version or is not there")
            }
            _ => Ok(()),
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

#[async_trait]
impl ObjectStore for MemoryObjectStore {
    async fn put(&self, key: &ObjectKey, bytes: Bytes, options: PutOptions) -> PortResult<ObjectVersion> {
        check_put_options(&options)?;
        let mut state = self.state();
        state.check_mode(key, &options.mode)?;
        let version = ObjectVersion(state.next().to_string());
        let size = bytes.len() as u64;
        let meta =
            ObjectMeta::new(key.clone(), size, version.clone(), self.clock.now(), options.content_type);
        state.objects.insert(key.clone(), Object::new(meta, bytes));
        Ok(version)
    }

    async fn get(&self, key: &ObjectKey) -> PortResult<Object> {
        self.state().find(key, "get").cloned()
    }

    async fn head(&self, key: &ObjectKey) -> PortResult<ObjectMeta> {
        self.state().find(key, "head").map(|object| object.meta.clone())
    }

    async fn delete(&self, key: &ObjectKey) -> PortResult<()> {
        self.state().objects.remove(key);
        Ok(())
    }

    async fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>> {
        check_list_request(request)?;
        let from = request.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let found = state.objects.range::<ObjectKey, _>((from, Bound::Unbounded));
        let found = found.filter(|(key, _)| key.as_str().starts_with(&request.prefix));
        Ok(found.take(request.limit as usize).map(|(_, object)| object.meta.clone()).collect())
    }

    async fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String> {
        check_link_validity(valid_for)?;
        let mut state = self.state();
        // Random keys of the process make the secret one that a test cannot guess by accident.
        let mut secret = RandomState::new().build_hasher();
        secret.write_u64(state.next());
        let expires_at = self.clock.now().plus(valid_for);
        let query = format!("expires={}&signature={:016x}", expires_at.as_unix_seconds(), secret.finish());
        state.links.insert(query.clone(), (key.clone(), expires_at));
        Ok(format!("/objects/{key}?{query}"))
    }
}

impl LinkVerifier for MemoryObjectStore {
    fn verify(&self, key: &ObjectKey, query: &str) -> PortResult<()> {
        let state = self.state();
        let holds =
            state.links.get(query).is_some_and(|(linked, until)| linked == key && self.clock.now() < *until);
        if holds {
            Ok(())
        } else {
            Err(PortError::new(ErrorKind::PermissionDenied, "objects", "verify a link"))
        }
    }
}
