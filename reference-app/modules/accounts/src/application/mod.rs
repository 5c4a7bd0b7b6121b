//! What the application does with accounts: one use case per file.

mod seed_demo;
mod sign_in;
mod sign_out;
mod who_am_i;

pub(crate) use seed_demo::SeedDemo;
pub(crate) use sign_in::{SignIn, SignInError};
pub(crate) use sign_out::SignOut;
pub(crate) use who_am_i::{Me, WhoAmI};
