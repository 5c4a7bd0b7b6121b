//! The suite of the object store: rules `OB-1` to `OB-9`, and `OL-1`, `OL-2` of its links.
//!
//! # Examples
//! How a team runs it for its own adapter, here a store whose links its own program serves:
//! ```no_run
//! use std::{process::ExitCode, sync::Arc, time::Duration};
//! use dolmen_ports::{BoxError, Bytes, LinkVerifier, ObjectKey, ObjectStore, PortResult};
//! use dolmen_testkit::conformance::{self, Harness, objects::{ObjectsCapabilities, ObjectsHarness}};
//! use dolmen_testkit::fakes::ManualClock;
//! struct Mine { store: Arc<dyn ObjectStore>, links: Arc<dyn LinkVerifier>, clock: ManualClock }
//! impl Harness for Mine {}
//! #[async_trait::async_trait]
//! impl ObjectsHarness for Mine {
//!     fn store(&self) -> Arc<dyn ObjectStore> { Arc::clone(&self.store) }
//!     async fn open_link(&self, link: &str) -> PortResult<Bytes> {
//!         let (path, query) = link.split_once('?').unwrap_or((link, ""));
//!         let key = ObjectKey::parse(path.trim_start_matches("/objects/"))?;
//!         self.links.verify(&key, query)?;
//!         Ok(self.store.get(&key).await?.bytes)
//!     }
//!     async fn advance(&self, by: Duration) { self.clock.advance(by); }
//! }
//! async fn fresh() -> Result<Mine, BoxError> { Err("here an empty store is made".into()) }
//! fn main() -> ExitCode {
//!     conformance::run(conformance::objects::cases("mine", ObjectsCapabilities::all(), fresh))
//! }
//! ```

mod links;
mod list;
mod put;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Bytes, ObjectKey, ObjectStore, ObjectVersion, PortResult, PutMode, PutOptions};

#[cfg(test)]
pub(super) use self::put::WRITERS;
use super::case::Case;
use super::harness::Harness;
use super::suite::Suite;

/// What an object store's harness can do beyond the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectsCapabilities {
    /// It can move the clock by which links expire.
    pub virtual_clock: bool,
}

impl ObjectsCapabilities {
    /// It can do everything.
    pub const fn all() -> Self {
        Self { virtual_clock: true }
    }

    /// The same, but links expire by a clock that nobody can move.
    #[must_use]
    pub const fn without_virtual_clock(mut self) -> Self {
        self.virtual_clock = false;
        self
    }
}

/// Gives the object suite a store, and follows its links.
#[async_trait]
pub trait ObjectsHarness: Harness {
    /// The store.
    fn store(&self) -> Arc<dyn ObjectStore>;

    /// Follows a link as somebody without other credentials would: the bytes, or `PermissionDenied`.
    ///
    /// A text that is no link of this store at all is refused in the same way.
    async fn open_link(&self, link: &str) -> PortResult<Bytes>;

    /// Moves the clock by which links expire. Not called without the capability `virtual_clock`.
    async fn advance(&self, by: Duration);
}

type ObjectsSuite = Suite<dyn ObjectsHarness>;
type H = Arc<dyn ObjectsHarness>;

/// The cases of the suite.
pub fn cases<H, F, Fut>(label: &str, capabilities: ObjectsCapabilities, fresh: F) -> Vec<Case>
where
    H: ObjectsHarness,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<H, BoxError>> + Send + 'static,
{
    suite(capabilities).cases(label, move || {
        let harness = fresh();
        async { harness.await.map(|harness| Arc::new(harness) as Arc<dyn ObjectsHarness>) }
    })
}

pub(super) fn suite(capabilities: ObjectsCapabilities) -> ObjectsSuite {
    links::add(list::add(put::add(Suite::new("objects"))), capabilities)
}

fn key(text: &str) -> PortResult<ObjectKey> {
    ObjectKey::parse(text)
}

/// Puts bytes as text, in a mode.
async fn put(harness: &H, text: &str, bytes: &[u8], mode: PutMode) -> PortResult<ObjectVersion> {
    let options = PutOptions::new("text/plain").with_mode(mode);
    harness.store().put(&key(text)?, Bytes::copy_from_slice(bytes), options).await
}

/// Reads bytes.
async fn get(harness: &H, text: &str) -> PortResult<Bytes> {
    harness.store().get(&key(text)?).await.map(|object| object.bytes)
}
