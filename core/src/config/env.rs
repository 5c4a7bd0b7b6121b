//! The reader of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::problem::{ConfigProblem, ConfigProblems};
use super::setting::{Setting, Source};
use super::value::{Refusal, SettingValue};
use super::variable::Variable;
use super::{secret_file, suggestion};

const LENIENT: Variable =
    Variable::own("CONFIG_LENIENT", "unknown variables are warnings instead of errors", "1");

/// Reads variables, and remembers what was read and what was wrong.
///
/// An empty variable counts as not set, because compose files and shells pass on what they do not have as an empty text.
/// `Debug` prints no values.
pub struct Env {
    prefix: String,
    variables: BTreeMap<String, OsString>,
    known: BTreeSet<String>,
    settings: Vec<Setting>,
    problems: Vec<ConfigProblem>,
    warnings: Vec<ConfigProblem>,
}

/// What a variable holds, before it is parsed.
enum Raw {
    NotSet,
    /// It cannot be read; the problem is written down.
    Broken(Source),
    Text(String, Source),
}

impl Env {
    /// The prefix of our own variables, unless a program chooses another.
    pub const DEFAULT_PREFIX: &'static str = "APP";

    /// Takes the environment of this process; the one place that reads it.
    pub fn from_process(prefix: impl Into<String>) -> Self {
        // A name that is not UTF-8 is nobody's, but is shown as far as it can be when it starts like one of ours.
        let pairs = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
        Self::from_pairs(prefix, pairs)
    }

    /// Takes pairs of name and value; for tests and for programs that have their own source.
    pub fn from_pairs<N: Into<String>, V: Into<OsString>>(
        prefix: impl Into<String>,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            prefix: prefix.into(),
            variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            known: BTreeSet::new(),
            settings: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads a variable that may be missing.
    pub fn optional<T: SettingValue>(&mut self, variable: &Variable) -> Option<T> {
        self.read(variable, None, None)
    }

    /// Reads a variable that has a default.
    pub fn or<T: SettingValue>(&mut self, variable: &Variable, default: T) -> T {
        let shown = default.show();
        self.read(variable, Some(shown), None).unwrap_or(default)
    }

    /// Reads a variable that has a default and a range; outside of it, it is wrong.
    pub fn or_in<T: SettingValue + PartialOrd>(
        &mut self,
        variable: &Variable,
        default: T,
        range: RangeInclusive<T>,
    ) -> T {
        let shown = default.show();
        match self.read(variable, Some(shown), None) {
            Some(value) if range.contains(&value) => value,
            Some(value) => {
                let bounds = format!("is not from {} to {}", range.start().show(), range.end().show());
                let problem = self.invalid::<T>(variable, &value.show(), Refusal::new(bounds));
                self.report(problem);
                default
            }
            None => default,
        }
    }

    /// Reads a variable that `needed_by` (such as `role web`) cannot do without. Where it is missing or wrong, the answer
    /// is `None` and [`finish`](Self::finish) gives an error: read everything first, then put it together with
    /// [`finish_with`](Self::finish_with).
    pub fn required<T: SettingValue>(&mut self, variable: &Variable, needed_by: &str) -> Option<T> {
        self.read(variable, None, Some(needed_by))
    }

    /// Adds a problem, or a warning, that concerns several values.
    pub fn report(&mut self, problem: ConfigProblem) {
        let list = if problem.is_warning() { &mut self.warnings } else { &mut self.problems };
        // Two sections may read the same variable; what is wrong with it is told once.
        if !list.contains(&problem) {
            list.push(problem);
        }
    }

    /// Ends the reading: reports the variables with our prefix that nobody read.
    ///
    /// # Errors
    /// Everything that was missing or wrong.
    pub fn finish(&mut self) -> Result<(), ConfigProblems> {
        let lenient = self.or(&LENIENT, false);
        for unknown in self.unknown(lenient) {
            self.report(unknown);
        }
        match std::mem::take(&mut self.problems) {
            none if none.is_empty() => Ok(()),
            problems => Err(ConfigProblems(problems)),
        }
    }

    /// Ends the reading as [`finish`](Self::finish) does and gives the configuration, which is `None` only where a
    /// required variable was.
    ///
    /// # Errors
    /// Everything that was missing or wrong.
    ///
    /// # Examples
    /// ```
    /// use dolmen::config::{Env, Variable};
    /// const URL: Variable = Variable::conventional("DATABASE_URL", "where the database is", "sqlite://shop.db");
    /// struct Config { database: String }
    /// fn load(env: &mut Env) -> Option<Config> {
    ///     let database = env.required(&URL, "every role");
    ///     Some(Config { database: database? })
    /// }
    /// let mut env = Env::from_pairs("APP", [("DATABASE_URL", "sqlite://a.db")]);
    /// let config = load(&mut env);
    /// assert_eq!(env.finish_with(config).unwrap().database, "sqlite://a.db");
    /// ```
    pub fn finish_with<C>(&mut self, config: Option<C>) -> Result<C, ConfigProblems> {
        self.finish()?;
        config.ok_or_else(|| {
            ConfigProblems(vec![ConfigProblem::error(
                "config/incomplete",
                "a part of the configuration is missing although nothing was reported",
                "return `None` from a section only for what `required` gave",
            )])
        })
    }

    /// What was read so far, in the order of reading: for a person, secrets hidden.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// What is worth a line in the log, but keeps nobody from starting.
    pub fn warnings(&self) -> &[ConfigProblem] {
        &self.warnings
    }

    fn read<T: SettingValue>(
        &mut self,
        variable: &Variable,
        default: Option<String>,
        needed_by: Option<&str>,
    ) -> Option<T> {
        let name = variable.full_name(&self.prefix);
        let mut value = None;
        let (shown, source) = match self.raw(&name, T::SECRET) {
            Raw::NotSet => {
                if let Some(needed_by) = needed_by {
                    let problem = missing::<T>(&name, variable, needed_by);
                    self.report(problem);
                }
                (default.clone(), Source::Default)
            }
            Raw::Broken(source) => (None, source),
            Raw::Text(text, source) => {
                match T::parse(&text) {
                    Ok(parsed) => value = Some(parsed),
                    Err(refusal) => {
                        let problem = self.invalid::<T>(variable, &text, refusal);
                        self.report(problem);
                    }
                }
                (Some(if T::SECRET { "***".to_owned() } else { text }), source)
            }
        };
        let needed_by = needed_by.map(str::to_owned);
        let Variable { meaning, example, .. } = *variable;
        let secret = T::SECRET;
        self.settings.retain(|setting| setting.name != name);
        let setting =
            Setting { name, meaning, example, value_shown: shown, default, needed_by, secret, source };
        self.settings.push(setting);
        value
    }

    fn raw(&mut self, name: &str, secret: bool) -> Raw {
        self.known.insert(name.to_owned());
        let file_variable = format!("{name}_FILE");
        let file = if secret {
            self.known.insert(file_variable.clone());
            self.set(&file_variable)
        } else {
            None
        };
        match (self.set(name), file) {
            (None, None) => Raw::NotSet,
            (Some(value), None) => {
                let text = value.into_string().map_err(|_| {
                    let what = format!("{name} is not UTF-8 text");
                    ConfigProblem::error("config/invalid", what, "set it to UTF-8 text")
                });
                self.text_or_problem(text, Source::Environment)
            }
            (None, Some(path)) => {
                let path = PathBuf::from(path);
                let text = secret_file::read(&file_variable, &path, &mut self.warnings);
                self.text_or_problem(text, Source::File(path))
            }
            (Some(_), Some(_)) => {
                let what = format!("{name} and {file_variable} are both set");
                let conflict = ConfigProblem::error("config/conflict", what, "unset one of them");
                self.text_or_problem(Err(conflict), Source::Environment)
            }
        }
    }

    fn text_or_problem(&mut self, text: Result<String, ConfigProblem>, source: Source) -> Raw {
        match text {
            Ok(text) => Raw::Text(text, source),
            Err(problem) => {
                self.report(problem);
                Raw::Broken(source)
            }
        }
    }

    fn set(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn invalid<T: SettingValue>(&self, variable: &Variable, text: &str, refusal: Refusal) -> ConfigProblem {
        let name = variable.full_name(&self.prefix);
        let Refusal { mut reason, fix } = refusal;
        let mut fix = fix.unwrap_or_else(|| format!("set {name}={}", variable.example));
        let mut shown: String = format!("{:?}", text.chars().take(80).collect::<String>());
        if T::SECRET {
            "***".clone_into(&mut shown);
            // Refusals must not repeat the text; with a secret nobody relies on that.
            if reason.contains(text) {
                "is not valid".clone_into(&mut reason);
            }
            if fix.contains(text) {
                fix = format!("set {name}={}", variable.example);
            }
        }
        ConfigProblem::error("config/invalid", format!("{name}={shown} {reason}"), fix)
    }

    fn unknown(&self, lenient: bool) -> Vec<ConfigProblem> {
        let start = format!("{}_", self.prefix);
        let known = || self.known.iter().filter_map(|name| name.strip_prefix(&start));
        let make = if lenient { ConfigProblem::warning } else { ConfigProblem::error };
        let describe = |name: &String| {
            let rest = name.strip_prefix(&start).filter(|_| !self.known.contains(name))?;
            Some(match suggestion::closest(rest, known()) {
                Some(meant) => {
                    let message = format!("{name} is not known. Did you mean {start}{meant}?");
                    make("config/unknown", message, "rename or unset it".to_owned())
                }
                None => make("config/unknown", format!("{name} is not known"), "unset it".to_owned()),
            })
        };
        self.variables.keys().filter_map(describe).collect()
    }
}

fn missing<T: SettingValue>(name: &str, variable: &Variable, needed_by: &str) -> ConfigProblem {
    let fix = if T::SECRET {
        format!("set {name}={}, or {name}_FILE to the path of a file that holds it", variable.example)
    } else {
        format!("set {name}={}", variable.example)
    };
    ConfigProblem::error("config/missing", format!("{name} is not set (needed by {needed_by})"), fix)
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("prefix", &self.prefix)
            .field("settings", &self.settings)
            .field("problems", &self.problems)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
