//! Objects and mail of Dolmen in plain directories.
//!
//! For development, tests and installations on one machine: [`DirectoryObjectStore`] keeps each object in a file of its
//! own, [`LinkSigner`] makes and checks the links that this program serves itself, [`DirectoryMailer`] writes each message
//! as an `.eml` file that any mail program opens. Several processes may share a directory. It knows the ports, and neither
//! the core nor a web framework. Made for Linux and macOS; on Windows it is not tested.
//!
//! # Examples
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use dolmen_directory::{DirectoryObjectStore, LinkSigner};
//! use dolmen_ports::{Bytes, LinkVerifier, ObjectKey, ObjectStore, PortResult, PutOptions, Secret, SystemClock};
//!
//! # async fn store(root: &std::path::Path) -> PortResult<()> {
//! let signing_key = Secret::new(b"32 random bytes from a secret ..".to_vec());
//! let links = LinkSigner::new(signing_key, "/objects/", Arc::new(SystemClock))?;
//! let objects = DirectoryObjectStore::open(root, links.clone()).await?;
//!
//! let key = ObjectKey::parse("reports/2026-10.csv")?;
//! objects.put(&key, Bytes::from_static(b"month,total\n"), PutOptions::new("text/csv")).await?;
//! let link = objects.link(&key, Duration::from_mins(15)).await?;
//! let (_path, query) = link.split_once('?').unwrap();
//! links.verify(&key, query)?;
//! # Ok(()) }
//! # let directory = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store(directory.path())).unwrap();
//! ```

mod blocking;
mod failure;
mod links;
mod mail;
mod objects;
mod staging;

pub use links::LinkSigner;
pub use mail::DirectoryMailer;
pub use objects::DirectoryObjectStore;
