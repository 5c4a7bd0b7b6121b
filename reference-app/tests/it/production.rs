//! `APP_ENV=production`: nothing of the demo, and only the role `migrate` changes the schema.

use dolmen::ports::Migration;
use dolmen::{Database, MigrationSet, ModuleName};
use dolmen_sql::{SqlDatabase, SqlOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Case, Client, DEMO, Process, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![alone:
        production_waits_for_the_schema_and_knows_no_demo,
        production_refuses_a_database_with_the_demo_tenant,
        a_role_without_web_answers_probes_on_port,
        no_role_is_ready_on_a_schema_that_is_too_old_or_breaks_it,
    ]
}

async fn production_refuses_a_database_with_the_demo_tenant() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    let mut development = Process::start(folder.path(), &[], &[("DATABASE_URL", &url)]);
    development.client().await.signed_in(DEMO.0, DEMO.1).await;
    development.signal("TERM");
    development.ended().await.well();
    let ended = Process::start(folder.path(), &[], &production(&url)).ended().await.with_code(1);
    assert!(ended.stderr.contains("the database holds the demo tenant"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("the API listens"), "{}", ended.stderr);
}

async fn a_role_without_web_answers_probes_on_port() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    Process::start(folder.path(), &["migrate"], &production(&url)).ended().await.well();
    for role in ["worker", "scheduler", "worker,scheduler"] {
        let variables = [&production(&url)[..], &[("APP_ROLE", role)]].concat();
        let mut process = Process::start(folder.path(), &[], &variables);
        let operations = process.ready().await;
        let roles: Vec<&str> = role.split(',').collect();
        assert_eq!(operations.read("/ops/info").await["roles"], json!(roles));
        let probes = Client::undocumented(process.address("the probes listen").await);
        for probe in ["/livez", "/readyz", "/startupz"] {
            probes.get(probe).send().await.expect(200);
        }
        for absent in ["/ops/info", "/ops/jobs", "/v1/me", "/openapi.json"] {
            probes.get(absent).send().await.problem(404, "request/not-found");
        }
        process.signal("TERM");
        process.ended().await.well();
    }
}

/// The framework's own tables, as a later version might have them.
async fn migrate_to_a_later_version(url: &str) {
    const LATER: Migration = Migration::new(
        "0002_later",
        "-- dolmen: breaks older binaries\ncreate table dolmen_later (id integer primary key) strict;",
        "",
    );
    let migrations = [dolmen_sql::MIGRATIONS.migrations, &[LATER]].concat();
    let set = MigrationSet::new(ModuleName::new("dolmen"), migrations.leak());
    let database = Database::new(SqlDatabase::connect(url, SqlOptions::new()).await.unwrap());
    assert_eq!(database.migrate(&[set]).await.unwrap().applied, ["dolmen/0002_later"]);
    database.close().await;
}

async fn no_role_is_ready_on_a_schema_that_is_too_old_or_breaks_it() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    let start =
        |role| Process::start(folder.path(), &[], &[&production(&url)[..], &[("APP_ROLE", role)]].concat());
    let roles = ["web", "worker", "scheduler"];
    let mut too_old = roles.map(start);
    for process in &mut too_old {
        let why = not_ready(process, "db/not-migrated").await;
        for words in
            ["schema of dolmen is at no version, need 0001_dolmen", "run role migrate (APP_ROLE=migrate)"]
        {
            assert!(why.contains(words), "{why}");
        }
    }
    Process::start(folder.path(), &["migrate"], &production(&url)).ended().await.well();
    for mut process in too_old {
        process.ready().await;
        process.signal("TERM");
        process.ended().await.well();
    }
    migrate_to_a_later_version(&url).await;
    for mut process in roles.map(start) {
        let why = not_ready(&mut process, "migrate/schema-newer").await;
        for words in [
            "dolmen/0002_later",
            "this version knows dolmen up to 0001_dolmen",
            "run a version that knows it",
        ] {
            assert!(why.contains(words), "{why}");
        }
        process.signal("TERM");
        process.ended().await.well();
    }
    let refused = Process::start(folder.path(), &["migrate"], &production(&url)).ended().await.with_code(1);
    assert!(refused.stderr.contains("migrate/schema-newer"), "{}", refused.stderr);
}

/// What the probe answers once it names this rule.
async fn not_ready(process: &mut Process, rule: &str) -> String {
    let management = Client::of(process.address("the management port listens").await).await;
    eventually(rule, async || {
        let answer = management.get("/readyz").send().await.expect(503);
        Some(answer.text()).filter(|text| text.contains(rule))
    })
    .await
}

fn production(url: &str) -> [(&str, &str); 6] {
    [
        ("APP_ENV", "production"),
        ("DATABASE_URL", url),
        ("APP_SIGNING_KEY", "0123456789abcdef0123456789abcdef"),
        ("APP_MAIL_FROM", "invoices@example.com"),
        ("APP_MANAGEMENT_BIND", "127.0.0.1"),
        ("APP_SHUTDOWN_DELAY", "0s"),
    ]
}

async fn production_waits_for_the_schema_and_knows_no_demo() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    let variables = production(&url);
    let mut process = Process::start(folder.path(), &[], &variables);
    let management = Client::of(process.address("the management port listens").await).await;
    eventually("pending migrations", async || {
        let info = management.get("/ops/info").send().await.json(200);
        (info["schema"]["state"] == "pending").then_some(())
    })
    .await;
    management.get("/readyz").send().await.expect(503);
    management.get("/livez").send().await.expect(200);
    Process::start(folder.path(), &["migrate"], &variables).ended().await.well();
    let anybody = process.client().await;
    let sign_in = json!({ "email": DEMO.0, "password": DEMO.1 });
    anybody.post("/v1/session", &sign_in).await.problem(401, "auth/unauthenticated");
    assert_eq!(management.read("/ops/info").await["environment"], "production");
    process.signal("TERM");
    let ended = process.ended().await.well();
    assert_eq!(ended.stdout, "", "no welcome with a password");
    assert!(!ended.stderr.to_lowercase().contains("demo"), "{}", ended.stderr);
    let lines = ended.stderr.lines();
    assert!(
        lines.clone().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{}",
        ended.stderr
    );
    assert!(lines.count() > 3);
}
