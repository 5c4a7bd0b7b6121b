//! What the application does with accounts: one use case per file.

mod seed_demo;
mod sign_in;
mod sign_out;
mod who_am_i;

use std::sync::Arc;

pub(crate) use sign_in::SignInError;

use crate::ports::{AccountRepository, AccountsPorts, Passwords};

/// The use cases and what they work with.
#[derive(Debug)]
pub(crate) struct UseCases {
    pub(crate) ports: AccountsPorts,
    pub(crate) accounts: Arc<dyn AccountRepository>,
    pub(crate) passwords: Arc<dyn Passwords>,
}
