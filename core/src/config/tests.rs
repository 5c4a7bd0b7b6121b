//! Each kind of problem, and all of them at once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dolmen_ports::{MailAddress, Secret};

use super::*;
use crate::Roles;

const DATABASE_URL: Variable =
    Variable::conventional("DATABASE_URL", "where the database is", "postgres://host/db");
const PORT: Variable = Variable::conventional("PORT", "where the API listens", "8080");
const ROLE: Variable = Variable::own("ROLE", "the roles of this process", "web,worker");
const TIMEOUT: Variable = Variable::own("HTTP_TIMEOUT", "how long a request may take", "10s");
const POOL: Variable = Variable::own("POOL_SIZE", "connections to the database", "10");
const KEY: Variable = Variable::own("SIGNING_KEY", "signs links", "64 hex digits");
const TRUSTED: Variable = Variable::own("TRUSTED_PROXIES", "proxies in front", "10.0.0.1,10.0.0.2");
const DEMO: Variable = Variable::own("DEMO", "whether demo data is there", "true");

fn env<const N: usize>(pairs: [(&str, &str); N]) -> Env {
    Env::from_pairs("APP", pairs)
}

/// The lines after reading one variable from a text.
fn refused<T: SettingValue>(variable: &Variable, text: &str) -> String {
    let mut env = Env::from_pairs("APP", [(variable.full_name("APP"), text)]);
    assert!(env.optional::<T>(variable).is_none(), "{text:?} was taken");
    env.finish().unwrap_err().to_string()
}

fn taken<T: SettingValue>(text: &str) -> T {
    let mut env = env([("APP_ANY", text)]);
    let value = env.optional(&Variable::own("ANY", "any", "any"));
    env.finish().unwrap();
    value.unwrap()
}

#[test]
fn values_are_read_as_their_types() {
    assert_eq!(taken::<u16>("65535"), 65_535);
    assert_eq!(taken::<String>(" as it is "), " as it is ");
    assert_eq!(taken::<PathBuf>("./var"), Path::new("./var"));
    assert_eq!(taken::<Vec<u32>>("1, 2,3"), [1, 2, 3]);
    assert_eq!(taken::<MailAddress>("ada@example.com").as_str(), "ada@example.com");
    assert_eq!(taken::<Secret<String>>("hunter2").reveal(), "hunter2");
    assert!(taken::<Roles>("all").is_all());
    for (text, value) in [("1", true), ("TRUE", true), ("yes", true), ("off", false), ("0", false)] {
        assert_eq!(taken::<bool>(text), value);
    }
    for (text, value) in [
        ("10s", Duration::from_secs(10)),
        ("500ms", Duration::from_millis(500)),
        ("2m", Duration::from_mins(2)),
        ("36h", Duration::from_hours(36)),
        ("7d", Duration::from_hours(168)),
        ("0s", Duration::ZERO),
    ] {
        assert_eq!(taken::<Duration>(text), value);
        assert_eq!(value.show(), text);
    }
}

#[test]
fn a_missing_variable_says_who_needs_it_and_an_example() {
    let mut env = env([("PORT", "")]);
    assert_eq!(env.required::<Secret<String>>(&DATABASE_URL, "role web"), None);
    assert_eq!(env.required::<u16>(&PORT, "role web"), None, "empty is not set");
    assert_eq!(
        env.finish().unwrap_err().to_string(),
        "error[config/missing]: DATABASE_URL is not set (needed by role web). fix: set \
         DATABASE_URL=postgres://host/db, or DATABASE_URL_FILE to the path of a file that holds it\n\
         error[config/missing]: PORT is not set (needed by role web). fix: set PORT=8080"
    );
}

#[test]
fn a_wrong_value_says_why_and_what_to_write() {
    for text in ["10", "10 ", "ten", "-1s", "1.5s", "10 minutes", "s", "999999999999999999d", "5ns"] {
        let line = refused::<Duration>(&TIMEOUT, text);
        assert!(line.starts_with("error[config/invalid]: APP_HTTP_TIMEOUT=\""), "{line}");
        assert!(line.ends_with(". fix: use e.g. 10s, 500ms, 2m"), "{line}");
    }
    assert_eq!(
        refused::<Duration>(&TIMEOUT, "10"),
        "error[config/invalid]: APP_HTTP_TIMEOUT=\"10\" has no unit. fix: use e.g. 10s, 500ms, 2m"
    );
    for text in ["65536", "-1", "80a", "0x50", "８０"] {
        assert!(refused::<u16>(&PORT, text).ends_with("from 0 to 65535. fix: set PORT=8080"), "{text}");
    }
    assert!(refused::<bool>(&DEMO, "ja").contains("neither true nor false"));
    assert!(refused::<Vec<u16>>(&TRUSTED, "1,,2").contains("has an empty item"));
    assert!(refused::<Vec<u16>>(&TRUSTED, "1,x").contains("number 2: it is not a whole number"));
    assert!(refused::<MailAddress>(&DEMO, "ada").contains("is not a mail address"));
    assert!(refused::<String>(&DEMO, "a\nb").contains(r#"APP_DEMO="a\nb" contains a control character"#));
    assert!(refused::<String>(&DEMO, &"\u{7}".repeat(500)).len() < 1_000, "a long value is cut");
}

#[test]
fn a_value_out_of_range_names_the_range() {
    let mut env = env([("APP_POOL_SIZE", "0"), ("APP_HTTP_TIMEOUT", "2h")]);
    assert_eq!(env.or_in(&POOL, 10_u32, 1..=1_000), 10);
    let second = Duration::from_secs(1);
    assert_eq!(env.or_in(&TIMEOUT, second, second..=Duration::from_mins(5)), second);
    assert_eq!(
        env.finish().unwrap_err().to_string(),
        "error[config/invalid]: APP_POOL_SIZE=\"0\" is not from 1 to 1000. fix: set APP_POOL_SIZE=10\n\
         error[config/invalid]: APP_HTTP_TIMEOUT=\"2h\" is not from 1s to 5m. fix: set APP_HTTP_TIMEOUT=10s"
    );
}

#[test]
fn a_mistyped_word_is_corrected() {
    let line = refused::<Roles>(&ROLE, "web,wroker");
    assert!(
        line.contains("APP_ROLE=\"web,wroker\" names an unknown role; roles: all, web, worker"),
        "{line}"
    );
    assert!(line.ends_with("fix: did you mean worker?"), "{line}");
    assert!(refused::<Roles>(&ROLE, "migrate,web").contains("migrate next to other roles"));
    assert!(refused::<Roles>(&ROLE, ",").contains("names no role"));
    assert!(refused::<Environment>(&ROLE, "prodution").ends_with("fix: did you mean production?"));
    assert!(refused::<Environment>(&ROLE, "staging").ends_with("fix: set APP_ROLE=web,worker"));
}

#[test]
fn an_unknown_variable_with_our_prefix_is_an_error_unless_lenient() {
    let pairs = [("APP_POOL_SZE", "4"), ("APPLE", "1"), ("APP_Q", ""), ("OTHER_POOL_SZE", "1")];
    let mut strict = env(pairs);
    strict.or(&POOL, 10_u32);
    assert_eq!(
        strict.finish().unwrap_err().to_string(),
        "error[config/unknown]: APP_POOL_SZE is not known. Did you mean APP_POOL_SIZE? fix: rename or unset it\n\
         error[config/unknown]: APP_Q is not known. fix: unset it"
    );

    let mut lenient = Env::from_pairs("APP", pairs.into_iter().chain([("APP_CONFIG_LENIENT", "1")]));
    lenient.or(&POOL, 10_u32);
    lenient.finish().unwrap();
    let warnings: Vec<String> = lenient.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("warning[config/unknown]: APP_POOL_SZE"), "{warnings:?}");
}

#[test]
fn another_prefix_makes_other_names() {
    let mut env = Env::from_pairs("SHOP", [("SHOP_POOL_SIZE", "4"), ("APP_ANYTHING", "1")]);
    assert_eq!(env.or(&POOL, 10_u32), 4);
    env.finish().unwrap();
}

fn secret_file(directory: &Path, name: &str, content: &[u8], mode: u32) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_line_feeds() {
    let directory = tempfile::tempdir().unwrap();
    for content in ["hunter2", "hunter2\n", "hunter2\r\n"] {
        let path = secret_file(directory.path(), "key", content.as_bytes(), 0o600);
        let mut env = env([("APP_SIGNING_KEY_FILE", &path)]);
        assert_eq!(env.required::<Secret<String>>(&KEY, "role web").unwrap().reveal(), "hunter2");
        env.finish().unwrap();
        assert!(env.warnings().is_empty());
        assert_eq!(env.settings()[0].source, Source::File(PathBuf::from(&path)));
        assert_eq!(env.settings()[0].value_shown.as_deref(), Some("***"));
    }
}

#[test]
fn a_secret_file_that_is_missing_empty_long_binary_or_doubled_is_refused_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str, content: &[u8]| secret_file(directory.path(), name, content, 0o600);
    let missing = directory.path().join("missing").to_str().unwrap().to_owned();
    for (path, reason) in [
        (missing, "does not exist"),
        (at("empty", b""), "is empty"),
        (at("line", b"\n\n"), "is empty"),
        (at("long", &vec![b'x'; 65_537]), "is longer than 64 KiB"),
        (at("binary", &[0xff]), "is not UTF-8"),
        (directory.path().to_str().unwrap().to_owned(), "cannot be read"),
    ] {
        let mut env = env([("APP_SIGNING_KEY_FILE", &path)]);
        assert!(env.required::<Secret<String>>(&KEY, "role web").is_none());
        let problems = env.finish().unwrap_err();
        let lines = problems.to_string();
        assert_eq!(problems.iter().count(), 1, "broken is not missing as well: {lines}");
        assert!(lines.contains(&path) && lines.contains(reason), "{lines}");
    }
    let mut both = env([("APP_SIGNING_KEY", "a-secret"), ("APP_SIGNING_KEY_FILE", "/nowhere")]);
    both.optional::<Secret<String>>(&KEY);
    let lines = both.finish().unwrap_err().to_string();
    assert!(lines.starts_with("error[config/conflict]: APP_SIGNING_KEY and APP_SIGNING_KEY_FILE"), "{lines}");
}

#[cfg(unix)]
#[test]
fn a_secret_file_that_everybody_may_read_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let path = secret_file(directory.path(), "key", b"hunter2", 0o644);
    let mut env = env([("APP_SIGNING_KEY_FILE", &path)]);
    assert!(env.optional::<Secret<String>>(&KEY).is_some());
    env.finish().unwrap();
    let warning = env.warnings()[0].to_string();
    assert!(warning.starts_with("warning[config/secret-mode]: APP_SIGNING_KEY_FILE="), "{warning}");
    assert!(warning.contains(&path) && warning.ends_with("chmod 600"), "{warning}");
}

/// A type whose refusals repeat the text, which they must not.
#[derive(Debug)]
struct Careless;

impl SettingValue for Careless {
    fn parse(text: &str) -> Result<Self, Refusal> {
        Err(Refusal::new(format!("cannot be {text}")).with_fix(format!("do not use {text}")))
    }

    fn show(&self) -> String {
        String::new()
    }
}

#[test]
fn a_secret_is_printed_nowhere() {
    let mut env = env([("APP_SIGNING_KEY", "hunter2"), ("DATABASE_URL", "hunter2")]);
    assert!(env.optional::<Secret<Careless>>(&KEY).is_none());
    assert!(env.optional::<Secret<u16>>(&DATABASE_URL).is_none());
    let debug = format!("{env:?}");
    let lines = env.finish().unwrap_err().to_string();
    for text in [&debug, &lines, &format!("{:?}", env.settings())] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(
        lines.contains("APP_SIGNING_KEY=*** is not valid. fix: set APP_SIGNING_KEY=64 hex digits"),
        "{lines}"
    );
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_a_problem_and_not_a_panic() {
    use std::os::unix::ffi::OsStringExt;
    let broken = || OsString::from_vec(vec![b'a', 0xff]);
    let mut env = Env::from_pairs("APP", [("PORT", broken()), ("UNREAD", broken())]);
    assert_eq!(env.or(&PORT, 8080_u16), 8080);
    assert_eq!(
        env.finish().unwrap_err().to_string(),
        "error[config/invalid]: PORT is not UTF-8 text. fix: set it to UTF-8 text"
    );
}

#[test]
fn every_setting_tells_its_origin() {
    let mut env = env([("PORT", "9090")]);
    env.or(&PORT, 8080_u16);
    env.or(&TIMEOUT, Duration::from_secs(10));
    env.optional::<Secret<String>>(&KEY);
    let [port, timeout, key] = env.settings() else { panic!("{:?}", env.settings()) };
    assert_eq!((port.name.as_str(), port.meaning, port.example), ("PORT", "where the API listens", "8080"));
    assert_eq!((port.value_shown.as_deref(), &port.source), (Some("9090"), &Source::Environment));
    assert_eq!(port.default.as_deref(), Some("8080"));
    assert_eq!((timeout.value_shown.as_deref(), &timeout.source), (Some("10s"), &Source::Default));
    assert_eq!((key.value_shown.as_deref(), key.secret, &key.source), (None, true, &Source::Default));
    env.or(&PORT, 8080_u16);
    assert_eq!(env.settings().len(), 3, "read twice is listed once");
}

#[test]
fn the_environment_is_development_unless_it_says_production() {
    assert_eq!(Environment::load(&mut env([])), Environment::Development);
    assert!(Environment::load(&mut env([("APP_ENV", "production")])).is_production());
}

#[test]
fn the_process_environment_is_read() {
    let path = Variable::conventional("PATH", "where programs are", "/bin");
    assert!(Env::from_process(Env::DEFAULT_PREFIX).optional::<String>(&path).is_some());
}

#[test]
fn all_kinds_are_reported_at_once() {
    let mut env = env([
        ("APP_ROLE", "wroker"),
        ("APP_HTTP_TIMEOUT", "10"),
        ("APP_POOL_SIZE", "5000"),
        ("APP_SIGNING_KEY_FILE", "/nowhere/key"),
        ("APP_DEMO", "true"),
        ("APP_DEMOO", "true"),
    ]);
    let config = (|env: &mut Env| {
        let database = env.required::<Secret<String>>(&DATABASE_URL, "every role");
        env.or(&ROLE, Roles::all());
        env.or(&TIMEOUT, Duration::from_secs(10));
        env.or_in(&POOL, 10_u32, 1..=1_000);
        let key = env.required::<Secret<String>>(&KEY, "role web");
        if env.or(&DEMO, false) {
            let what = "APP_DEMO is set while role web has no database";
            env.report(ConfigProblem::error("config/demo", what, "unset APP_DEMO"));
        }
        Some((database?, key?))
    })(&mut env);
    let problems = env.finish_with(config).unwrap_err();
    let codes: Vec<&str> = problems.iter().map(ConfigProblem::code).collect();
    assert_eq!(
        codes,
        [
            "config/missing",
            "config/invalid",
            "config/invalid",
            "config/invalid",
            "config/secret-file",
            "config/demo",
            "config/unknown",
        ]
    );
    let lines = problems.to_string();
    assert_eq!(lines.lines().count(), 7);
    assert!(
        lines.lines().all(|line| line.starts_with("error[config/") && line.contains(" fix: ")),
        "{lines}"
    );
}

#[test]
fn a_section_that_forgets_a_value_is_told_from_a_missing_variable() {
    let mut env = env([]);
    let problems = env.finish_with(None::<()>).unwrap_err();
    assert_eq!(problems.iter().map(ConfigProblem::code).collect::<Vec<_>>(), ["config/incomplete"]);
}

#[test]
fn a_variable_that_two_sections_read_is_told_once() {
    let mut env = env([("APP_ENV", "prod")]);
    for _ in 0..2 {
        let _ = Environment::load(&mut env);
    }
    assert_eq!(env.finish().unwrap_err().iter().count(), 1);
}
