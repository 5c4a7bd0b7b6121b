//! Configuration from the environment: every value typed, every problem at once, every origin known.
//!
//! A section of configuration is a struct with `fn load(env: &mut Env) -> Self` that reads its variables. Reading never
//! stops: what is missing or wrong is written down, and [`Env::finish`] gives the whole list, each with a fix. Variables of
//! the ecosystem keep their names (`DATABASE_URL`); our own carry a prefix, `APP` unless the program chooses another.
//! A name with our prefix that nobody read is a typo and is reported, so a process reads its whole configuration,
//! whatever its role.
//!
//! # Examples
//! ```
//! use std::time::Duration;
//! use dolmen::config::{Env, Variable};
//! use dolmen::Secret;
//!
//! const PORT: Variable = Variable::conventional("PORT", "where the API listens", "8080");
//! const TIMEOUT: Variable = Variable::own("REQUEST_TIMEOUT", "how long a request may take", "10s");
//! const SIGNING_KEY: Variable = Variable::own("SIGNING_KEY", "signs the links to objects", "64 hex digits");
//!
//! struct HttpConfig { port: u16, timeout: Duration, signing_key: Option<Secret<String>> }
//!
//! impl HttpConfig {
//!     fn load(env: &mut Env) -> Self {
//!         Self {
//!             port: env.or(&PORT, 8080),
//!             timeout: env.or_in(&TIMEOUT, Duration::from_secs(10), Duration::from_secs(1)..=Duration::from_mins(5)),
//!             signing_key: env.optional(&SIGNING_KEY),
//!         }
//!     }
//! }
//!
//! let mut env = Env::from_pairs("APP", [("PORT", "80800"), ("APP_REQUEST_TIMEOUT", "10"), ("APP_SIGNIN_KEY", "x")]);
//! HttpConfig::load(&mut env);
//! assert_eq!(env.finish().unwrap_err().to_string(), "\
//! error[config/invalid]: PORT=\"80800\" is not a whole number from 0 to 65535. fix: set PORT=8080\n\
//! error[config/invalid]: APP_REQUEST_TIMEOUT=\"10\" has no unit. fix: use e.g. 10s, 500ms, 2m\n\
//! error[config/unknown]: APP_SIGNIN_KEY is not known. Did you mean APP_SIGNING_KEY? fix: rename or unset it");
//! ```

mod conversions;
mod env;
mod environment;
mod problem;
mod secret_file;
mod setting;
pub(crate) mod suggestion;
#[cfg(test)]
mod tests;
mod value;
mod variable;

pub use env::Env;
pub use environment::Environment;
pub use problem::{ConfigProblem, ConfigProblems};
pub use setting::{Setting, Source};
pub use value::{Refusal, SettingValue, choose};
pub use variable::Variable;
