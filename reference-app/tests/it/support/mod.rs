//! What the tests are made of: a running application, its client, and the document that every answer is held against.

mod answer;
mod app;
mod backend;
mod case;
mod client;
mod document;
mod process;
mod schema;
mod stories;
mod wait;

pub(crate) use answer::Answer;
pub(crate) use app::{DEMO, TestApp, files_below, texts};
pub(crate) use backend::Backend;
pub(crate) use case::{Case, alone, cases, on_app, on_each};
pub(crate) use client::{Call, Client, Raw};
pub(crate) use document::{Document, Operation};
pub(crate) use process::{Process, free_port};
pub(crate) use stories::{UNKNOWN, customer_named, invoice_for, text};
pub(crate) use wait::{PATIENCE, eventually};
