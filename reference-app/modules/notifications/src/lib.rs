//! Notifications: tells customers about their invoices.
//!
//! Owns the table `notifications_sent_mail`. Has no routes: it lives on events.

mod adapters;
mod application;
mod domain;
mod module;
mod ports;
#[cfg(test)]
mod tests;

pub use module::{NotificationsModule, NotificationsPorts};
