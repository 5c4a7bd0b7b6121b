//! Fakes, conformance suites and scenarios for Dolmen applications.
//!
//! For tests only: a module's tests run its use cases against [`fakes`], an adapter's tests prove with [`conformance`] that
//! it keeps what its port promises, [`TestApp`] runs whole applications under the control of a test, and [`faults`] shows
//! what a program does when its database or the network has a bad day. It knows no SQL, no HTTP and no real server; nothing
//! that ships may depend on it.
//!
//! # Examples
//! A use case, tested without a database; the fake commits and rolls back like a real one:
//! ```
//! use dolmen_ports::{ErrorKind, PortError, PortResult};
//! use dolmen_testkit::fakes::{MemoryDatabase, MemoryTable};
//! const ORDERS: MemoryTable<u32, String> = MemoryTable::new("shop_order");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let database = MemoryDatabase::new().database();
//! let refused: PortResult<()> = database.system().write(async |tx| {
//!     ORDERS.insert(tx, 1, "menhir".to_owned())?;
//!     Err(PortError::new(ErrorKind::Conflict, "orders", "place"))
//! }).await;
//! assert!(refused.is_err());
//! let count = database.system().read(async |tx| ORDERS.len(tx)).await.unwrap();
//! assert_eq!(count, 0);
//! # });
//! ```

mod app;
pub mod conformance;
pub mod fakes;
pub mod faults;

pub use app::{Aftermath, EventWatch, FakePorts, JobMatch, Scenario, TestApp, TestAppBuilder};
