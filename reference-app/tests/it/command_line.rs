//! What people type, and what they read when something is wrong.

use tempfile::TempDir;

use crate::support::{Case, Process, cases, files_below};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = cases![alone:
        help_tells_commands_and_variables,
        unknown_words_are_refused_with_help,
        all_problems_of_the_configuration_come_at_once,
        what_is_wrong_in_production_has_a_fix,
        the_configuration_is_shown_without_secrets,
        the_modules_are_shown_as_json,
        jobs_are_listed_explained_and_paused,
        schedules_are_listed_with_their_last_and_next_ticks,
        the_demo_plays_the_tour,
        the_demo_refuses_production,
        migrating_twice_does_nothing_the_second_time,
        a_database_that_cannot_be_opened_is_told,
    ];
    all.extend(cases_with_postgres());
    all
}

/// What needs the driver, and no server.
#[cfg(feature = "postgres")]
fn cases_with_postgres() -> Vec<Case> {
    cases![alone: a_pooler_that_is_told_needs_a_way_for_migrations]
}

#[cfg(not(feature = "postgres"))]
fn cases_with_postgres() -> Vec<Case> {
    Vec::new()
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (TempDir, Process) {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), arguments, variables);
    (folder, process)
}

async fn help_tells_commands_and_variables() {
    for flag in ["--help", "-h", "help"] {
        let help = run(&[flag], &[]).1.ended().await.well();
        for word in ["serve", "demo", "migrate", "modules", "config", "jobs", "schedules"] {
            assert!(help.stdout.contains(&format!("\n  {word} ")), "{word}: {}", help.stdout);
        }
        if flag != "-h" {
            for word in
                ["APP_ROLE", "APP_ENV", "PORT", "MANAGEMENT_PORT", "DATABASE_URL", "APP_DATA_DIR", "RUST_LOG"]
            {
                assert!(help.stdout.contains(word), "{word}: {}", help.stdout);
            }
        }
        assert_eq!(help.stderr, "");
    }
    let version = run(&["--version"], &[]).1.ended().await.well();
    assert_eq!(version.stdout, format!("dolmen-reference-app {}\n", env!("CARGO_PKG_VERSION")));
}

async fn unknown_words_are_refused_with_help() {
    for (arguments, hint) in
        [(&["migrat"][..], "migrate"), (&["--prot"], "--help"), (&["demo", "now"], "--help")]
    {
        let refused = run(arguments, &[]).1.ended().await.with_code(2);
        assert!(refused.stderr.contains(hint), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

async fn all_problems_of_the_configuration_come_at_once() {
    let variables = [
        ("APP_ENV", "production"),
        ("APP_ROLE", "wroker"),
        ("APP_HTTP_MAX_CONECTIONS", "9"),
        ("PORT", "99999"),
        ("DATABASE_URL", "oracle://root:hunter2@localhost/app"),
    ];
    let refused = run(&[], &variables).1.ended().await.with_code(2);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    for words in [
        "APP_ROLE",
        "wroker",
        "worker",
        "DATABASE_URL",
        "APP_SIGNING_KEY",
        "APP_MAIL_FROM",
        "APP_HTTP_MAX_CONECTIONS",
        "APP_HTTP_MAX_CONNECTIONS",
        "PORT=\"99999\"",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert_eq!(lines.len(), 6, "{}", refused.stderr);
    for line in lines {
        assert!(line.starts_with("error[config/") && line.contains(" fix: "), "{line}");
    }
    assert_eq!(refused.stdout, "");
}

async fn what_is_wrong_in_production_has_a_fix() {
    let key = "0123456789abcdef0123456789abcdef";
    let good = [
        ("APP_ENV", "production"),
        ("APP_SIGNING_KEY", key),
        ("APP_MAIL_FROM", "a@example.com"),
        ("DATABASE_URL", "sqlite:x.db"),
        ("PORT", "8080"),
    ];
    for (variable, value, words) in [
        ("APP_ENV", "prod", "production"),
        ("APP_SIGNING_KEY", "secret-but-short", "32"),
        ("APP_MAIL_FROM", "nobody", "mail"),
        ("DATABASE_URL", "oracle://root:hunter2@localhost/app", "scheme"),
        ("DATABASE_MIGRATION_URL", "oracle://root:hunter2@localhost/app", "scheme"),
        ("DATABASE_MIGRATION_URL", "sqlite:hunter2.db", "SQLite file"),
        ("MANAGEMENT_PORT", "8080", "both 8080"),
        ("APP_HTTP_REQUEST_DEADLINE", "30", "10s"),
        ("APP_ROLE", "web;worker", "worker"),
        ("APP_ROLE", "migrate,web", "migrate"),
        ("APP_ROLE", "all,web", "all alone"),
    ] {
        let variables: Vec<(&str, &str)> =
            good.into_iter().filter(|(name, _)| *name != variable).chain([(variable, value)]).collect();
        let refused = run(&[], &variables).1.ended().await.with_code(2);
        assert!(
            refused.stderr.contains(variable) && refused.stderr.contains(words),
            "{words}: {}",
            refused.stderr
        );
        assert!(
            !refused.stderr.contains("secret-but-short") && !refused.stderr.contains("hunter2"),
            "{}",
            refused.stderr
        );
    }
}

#[cfg(feature = "postgres")]
async fn a_pooler_that_is_told_needs_a_way_for_migrations() {
    let pooled = "postgres://app:hunter2@127.0.0.1:1/app?pgbouncer=true";
    let pooled = ("DATABASE_URL", pooled);
    let told = run(&[], &[pooled]).1.ended().await.with_code(2).stderr;
    assert!(told.contains("set DATABASE_MIGRATION_URL") && !told.contains("hunter2"), "{told}");
    let direct = ("DATABASE_MIGRATION_URL", pooled.1);
    let told = run(&[], &[pooled, direct]).1.ended().await.with_code(2).stderr;
    assert!(told.contains("it says pgbouncer=true") && !told.contains("hunter2"), "{told}");
    // A way without the pooler is a good one: what fails then is that nobody listens there.
    let direct = ("DATABASE_MIGRATION_URL", "postgres://app@127.0.0.1:1/app");
    let told = run(&[], &[pooled, direct]).1.ended().await.with_code(3).stderr;
    assert!(told.contains("127.0.0.1:1"), "{told}");
}

async fn the_configuration_is_shown_without_secrets() {
    let key = "0123456789abcdef0123456789abcdef";
    let variables =
        [("APP_SIGNING_KEY", key), ("DATABASE_URL", "sqlite:/tmp/hunter2.db"), ("APP_WORKER_LEASE", "1m")];
    let shown = run(&["config"], &variables).1.ended().await.well();
    assert!(!shown.stdout.contains(key) && !shown.stdout.contains("hunter2"), "{}", shown.stdout);
    let line = |name: &str| shown.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("APP_WORKER_LEASE ").contains("environment"), "{}", shown.stdout);
    assert!(line("APP_ROLE ").contains("default"), "{}", shown.stdout);
    assert!(
        shown
            .stdout
            .lines()
            .all(|line| line.is_empty() || line.contains("default") || line.contains("environment"))
    );
}

async fn the_modules_are_shown_as_json() {
    let shown = run(&["modules"], &[]).1.ended().await.well();
    let modules: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let names: Vec<&str> =
        modules.as_array().unwrap().iter().filter_map(|module| module["name"].as_str()).collect();
    assert_eq!(names, ["accounts", "customers", "invoices", "notifications", "reports"]);
}

async fn jobs_are_listed_explained_and_paused() {
    let folder = TempDir::new().unwrap();
    let run = async |arguments: &[&str]| Process::start(folder.path(), arguments, &[]).ended().await;
    run(&["migrate"]).await.well();
    assert_eq!(run(&["jobs", "list", "--state", "dead"]).await.well().stdout, "\n");
    assert_eq!(run(&["jobs", "pause", "default"]).await.well().stdout, "queue default is paused\n");
    assert_eq!(run(&["jobs", "list"]).await.well().stdout, "queue default is paused\n");
    assert_eq!(run(&["jobs", "resume", "default"]).await.well().stdout, "queue default goes on\n");
    assert_eq!(
        run(&["jobs", "retry", "--all", "--kind", "reports.make_report"]).await.well().stdout,
        "0 ready again\n"
    );
    let job = "0198c0de-0000-7000-8000-000000000001";
    for command in ["show", "why", "retry", "discard"] {
        let unknown = run(&["jobs", command, job]).await.with_code(3);
        assert!(unknown.stderr.contains(&format!("no job {job}")), "{command}: {}", unknown.stderr);
    }
    for arguments in
        [&["jobs", "why", "7"][..], &["jobs", "list", "--state", "ded"], &["jobs", "pause", "A b"]]
    {
        run(arguments).await.with_code(2);
    }
}

async fn schedules_are_listed_with_their_last_and_next_ticks() {
    let folder = TempDir::new().unwrap();
    let run = async |arguments: &[&str]| Process::start(folder.path(), arguments, &[]).ended().await;
    run(&["migrate"]).await.well();
    let listed = run(&["schedules", "list"]).await.well().stdout;
    assert!(
        listed.starts_with("reports.nightly  ") && listed.contains("no scheduler has seen it"),
        "{listed}"
    );
    let next = run(&["schedules", "next", "reports.nightly", "--count", "3"]).await.well().stdout;
    assert_eq!(next.lines().count(), 1 + 3, "{next}");
    let unknown = run(&["schedules", "next", "reports.nigthly"]).await.with_code(3);
    assert!(unknown.stderr.contains("did you mean reports.nightly?"), "{}", unknown.stderr);
}

async fn the_demo_plays_the_tour() {
    let (folder, process) = run(&["demo"], &[("RUST_LOG", "warn")]);
    let played = process.ended().await.well();
    for words in [
        "Issued invoice number 1 over 259900 cents",
        "2599.00 EUR",
        "month,currency,invoices,total_minor",
        ",EUR,1,259900",
    ] {
        assert!(played.stdout.contains(words), "{words}: {}", played.stdout);
    }
    assert_eq!(played.stderr, "", "nothing worth a warning");
    assert_eq!(files_below(folder.path(), "eml").len(), 1);
    // Played again on the same files, it goes on counting.
    let again = Process::start(folder.path(), &["demo"], &[("RUST_LOG", "warn")]).ended().await.well();
    assert!(again.stdout.contains("Issued invoice number 2 "), "{}", again.stdout);
}

async fn the_demo_refuses_production() {
    let key = "0123456789abcdef0123456789abcdef";
    let variables = [
        ("APP_ENV", "production"),
        ("APP_SIGNING_KEY", key),
        ("APP_MAIL_FROM", "a@example.com"),
        ("DATABASE_URL", "sqlite::memory:"),
    ];
    let refused = run(&["demo"], &variables).1.ended().await.with_code(1);
    assert!(refused.stderr.contains("unset APP_ENV"), "{}", refused.stderr);
}

async fn migrating_twice_does_nothing_the_second_time() {
    let (folder, first) = run(&["migrate"], &[]);
    let first = first.ended().await.well();
    assert!(first.stderr.contains("reports/0001_reports"), "{}", first.stderr);
    let second = Process::start(folder.path(), &["migrate"], &[]).ended().await.well();
    assert!(!second.stderr.contains("0001_reports"), "{}", second.stderr);
    let by_role = Process::start(folder.path(), &[], &[("APP_ROLE", "migrate")]).ended().await.well();
    assert!(!by_role.stderr.contains("0001_reports"), "{}", by_role.stderr);
}

async fn a_database_that_cannot_be_opened_is_told() {
    let nowhere = run(&[], &[("DATABASE_URL", "sqlite:/proc/nowhere/app.db")]).1.ended().await.with_code(3);
    assert!(nowhere.stderr.contains("error[environment]"), "{}", nowhere.stderr);
}
