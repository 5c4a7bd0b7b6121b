//! What can stand in a variable.

use super::suggestion;

/// A type that a variable can be read as.
///
/// # Examples
/// ```
/// use dolmen::config::{Refusal, SettingValue, choose};
/// #[derive(Debug, Clone, Copy, PartialEq)]
/// enum LogFormat { Json, Text }
/// impl SettingValue for LogFormat {
///     fn parse(text: &str) -> Result<Self, Refusal> {
///         choose(text, &[("json", Self::Json), ("text", Self::Text)])
///     }
///     fn show(&self) -> String {
///         match self { Self::Json => "json", Self::Text => "text" }.to_owned()
///     }
/// }
/// assert_eq!(LogFormat::parse("json"), Ok(LogFormat::Json));
/// assert!(LogFormat::parse("jsn").is_err());
/// ```
pub trait SettingValue: Sized {
    /// Whether the value must never be printed, and may come from a file.
    const SECRET: bool = false;

    /// Reads a value.
    ///
    /// # Errors
    /// Why the text is refused, in words that do not repeat it.
    fn parse(text: &str) -> Result<Self, Refusal>;

    /// Writes a value as `parse` reads it, or `***` when it is secret.
    fn show(&self) -> String;
}

/// Why a text is not a value: words that follow the variable's name, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) reason: String,
    pub(super) fix: Option<String>,
}

impl Refusal {
    /// A reason such as `has no unit`, without the refused text. The fix is the variable's example.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fix: None }
    }

    /// The same with another fix, an imperative such as `use e.g. 10s`.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Reads one of a few words; a similar one is suggested when the text is none of them.
///
/// # Errors
/// The words, and the one that was probably meant.
pub fn choose<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Refusal> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let refusal = Refusal::new(format!("is not one of {}", words.join(", ")));
    Err(match suggestion::closest(text, words.iter().copied()) {
        Some(word) => refusal.with_fix(format!("did you mean {word}?")),
        None => refusal,
    })
}
