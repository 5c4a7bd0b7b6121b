//! Logging: one line per event, as text for people or JSON for machines.

mod one_line;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt as layer};

use self::one_line::OneLine;
use crate::config::{Env, Environment, Refusal, SettingValue, Variable, choose};

const FORMAT: Variable = Variable::own("LOG_FORMAT", "how events are written: text or json", "json");
const FILTER: Variable = Variable::conventional("RUST_LOG", "which events are written", "info,dolmen=debug");

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "for people or for machines")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line, with the spans that the event happened in.
    Json,
}

/// Which events are written, in the syntax of `RUST_LOG`: `info,my_module=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// What is logged and how.
///
/// # Examples
/// ```
/// use dolmen::{Environment, LogFormat, LogSettings, config::Env, init_logging};
/// let mut env = Env::from_pairs("APP", [("RUST_LOG", "warn")]);
/// let settings = LogSettings::load(&mut env, Environment::Production);
/// assert_eq!(settings.format, LogFormat::Json);
/// init_logging(&settings);
/// tracing::warn!(attempt = 1, "hello");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogSettings {
    /// How an event is written.
    pub format: LogFormat,
    /// Which events are written.
    pub filter: LogFilter,
}

impl LogSettings {
    /// The defaults of an environment: JSON in production, text elsewhere; `info` and above.
    pub fn new(environment: Environment) -> Self {
        let format = if environment.is_production() { LogFormat::Json } else { LogFormat::Text };
        Self { format, filter: LogFilter("info".to_owned()) }
    }

    /// Reads `APP_LOG_FORMAT` and `RUST_LOG`.
    pub fn load(env: &mut Env, environment: Environment) -> Self {
        let defaults = Self::new(environment);
        Self { format: env.or(&FORMAT, defaults.format), filter: env.or(&FILTER, defaults.filter) }
    }
}

impl SettingValue for LogFormat {
    fn parse(text: &str) -> Result<Self, Refusal> {
        choose(text, &[("text", Self::Text), ("json", Self::Json)])
    }

    fn show(&self) -> String {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
        .to_owned()
    }
}

impl SettingValue for LogFilter {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(Refusal::new(format!("is not a list of target=level: {error}"))),
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sends events to the standard error output from now on, in colour when that is a terminal. The first call of a process
/// wins; later ones change nothing, so that every test may call it.
///
/// An event that cannot be written, because a disk is full or nobody reads, is lost; nothing else is.
///
/// With JSON, a panic is an event like any other, so that every line stays an object.
pub fn init_logging(settings: &LogSettings) {
    let ansi = settings.format == LogFormat::Text && io::stderr().is_terminal();
    let is_first = subscriber(settings, ansi, io::stderr).try_init().is_ok();
    if is_first && settings.format == LogFormat::Json {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    tracing::error!(reason, place, backtrace, "panic");
}

fn subscriber<W>(settings: &LogSettings, ansi: bool, output: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse_lossy(&settings.filter.0);
    let events = layer::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(OneLine::new(output));
    // It would complain on the standard error output, and panic when that fails as well.
    let events = events.log_internal_errors(false);
    match settings.format {
        LogFormat::Text => Box::new(events.finish()),
        LogFormat::Json => {
            Box::new(events.json().flatten_event(true).with_current_span(false).with_span_list(true).finish())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str, log: impl FnOnce()) -> String {
        let page = Page::default();
        let copy = page.clone();
        let settings = LogSettings { format, filter: LogFilter::parse(filter).unwrap() };
        let subscriber = subscriber(&settings, false, move || copy.clone());
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_is_one_object_per_line_with_its_spans() {
        let text = written(LogFormat::Json, "info", || {
            let _job = tracing::info_span!("job", kind = "mail.send").entered();
            let _step = tracing::info_span!("step", number = 2).entered();
            tracing::info!(receiver = "ada", "sent\nFAKE");
            tracing::info!("again");
        });
        assert_eq!(text.lines().count(), 2);
        let event: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&event["message"], &event["receiver"]), (&"sent\nFAKE".into(), &"ada".into()));
        assert_eq!(event["spans"][0]["kind"], "mail.send");
        assert_eq!(event["spans"][1]["number"], 2);
    }

    #[test]
    fn text_stays_on_one_line_and_names_its_spans() {
        let text = written(LogFormat::Text, "info", || {
            let _job = tracing::info_span!("job", kind = "mail.send").entered();
            tracing::info!("first\r\nFAKE second");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("first\\r\\nFAKE") && text.contains("job{kind=\"mail.send\"}"), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour unless on a terminal");
    }

    #[test]
    fn the_filter_chooses() {
        let text = written(LogFormat::Text, "warn,quiet=off", || {
            tracing::info!("not this");
            tracing::warn!("this");
            tracing::error!(target: "quiet", "nor this");
        });
        assert!(text.contains("this") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn a_wrong_filter_is_a_problem_of_the_configuration() {
        let mut env = Env::from_pairs("APP", [("RUST_LOG", "dolmen=lots"), ("APP_LOG_FORMAT", "jsn")]);
        LogSettings::load(&mut env, Environment::Development);
        let problems = env.finish().unwrap_err().to_string();
        assert!(problems.contains("RUST_LOG") && problems.contains("did you mean json?"), "{problems}");
    }

    #[test]
    fn a_second_call_is_harmless() {
        let settings = LogSettings::new(Environment::Development);
        init_logging(&settings);
        init_logging(&settings);
    }
}
