//! The reference app's web process on a database of its own, and clients that issue invoices: the stage of several faults.

mod answers;
mod clients;
mod http;
mod invoices;
mod scene;

pub(super) use self::answers::Answers;
pub(super) use self::clients::Clients;
pub(super) use self::invoices::Invoices;
pub(super) use self::scene::{Scene, Setting};
