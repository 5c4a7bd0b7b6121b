//! The roles of this crate over real sockets.

#![cfg(test)]

mod client;
mod contract;
mod document;
mod downloads;
mod hardening;
mod log;
mod management;
mod notes;
mod position;
mod shutdown;
mod support;
