//! What the commands print.

use std::fmt::Write as _;
use std::io::Write as _;

use dolmen::App;
use dolmen::config::{Setting, Source};

use crate::failure::Failure;

/// Writes to the standard output. Whoever reads it may have seen enough: a closed pipe is no failure.
pub fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One line per variable: name, value, origin, meaning.
pub fn settings(settings: &[Setting]) -> String {
    let mut text = String::new();
    for setting in settings {
        let value = setting.value_shown.as_deref().unwrap_or("(not set)");
        let origin = match &setting.source {
            Source::Default => "default".to_owned(),
            Source::Environment => "environment".to_owned(),
            Source::File(path) => path.display().to_string(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<26} {value:<36} {origin:<12} {}", setting.name, setting.meaning);
    }
    text
}

/// The modules as JSON.
///
/// # Errors
/// When they do not fit together.
pub fn modules(app: &App) -> Result<(), Failure> {
    app.verify().map_err(|violations| Failure::Run(violations.into()))?;
    match serde_json::to_string_pretty(app.operations().modules()) {
        Ok(text) => out(&text),
        Err(error) => return Err(Failure::Demo(error.to_string())),
    }
    Ok(())
}
