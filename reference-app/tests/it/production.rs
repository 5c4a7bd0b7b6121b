//! `APP_ENV=production`: nothing of the demo, and only the role `migrate` changes the schema.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Case, Client, DEMO, Process, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![alone:
        production_waits_for_the_schema_and_knows_no_demo,
        production_refuses_a_database_with_the_demo_tenant,
        a_role_without_web_answers_probes_on_port,
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
