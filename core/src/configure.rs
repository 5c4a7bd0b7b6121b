//! The settings of a process in one call, for programs that need nothing special.

use crate::app::AppSettings;
use crate::config::{ConfigProblems, Env};
use crate::telemetry::{LogSettings, init_logging};

/// Reads the environment of this process, with the prefix `APP`: how the application runs, how it logs, and the program's
/// own `section`. Starts logging and logs what is worth a warning.
///
/// A program that wants another prefix, or to do something before it logs, does the same by hand with [`Env`].
///
/// # Errors
/// Everything that is missing or wrong, at once.
///
/// # Examples
/// ```
/// use dolmen::config::{Env, Variable};
/// const GREETING: Variable = Variable::own("GREETING", "how guests are greeted", "hello");
///
/// let (settings, greeting) = dolmen::configure(|env| env.or(&GREETING, "hello".to_owned()))?;
/// assert!(settings.roles.is_all() && greeting == "hello");
/// # Ok::<_, dolmen::config::ConfigProblems>(())
/// ```
pub fn configure<T>(section: impl FnOnce(&mut Env) -> T) -> Result<(AppSettings, T), ConfigProblems> {
    let mut env = Env::from_process(Env::DEFAULT_PREFIX);
    let settings = AppSettings::load(&mut env);
    let logging = LogSettings::load(&mut env, settings.environment);
    let section = section(&mut env);
    env.finish()?;
    init_logging(&logging);
    for warning in env.warnings() {
        tracing::warn!("{warning}");
    }
    Ok((settings, section))
}
