//! One binary, roles by variable: processes that share a database share the work.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    Backend, Case, Client, DEMO, Process, cases, customer_named, database_variables, eventually, free_port,
    text, texts,
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = cases![on_each: three_processes_share_a_fresh_database];
    cases.extend(cases![alone:
        web_and_worker_start_on_the_same_ports_in_any_order,
        management_tells_roles_modules_and_jobs,
    ]);
    cases
}

async fn three_processes_share_a_fresh_database(backend: Backend) {
    let folder = TempDir::new().unwrap();
    let place = backend.database().await;
    let read_urls = backend.read_urls(place.as_ref());
    let mut urls = place.as_ref().map(database_variables).unwrap_or_default();
    urls.extend(read_urls.clone().map(|read_urls| ("DATABASE_READ_URLS", read_urls)));
    let start = |role| {
        let urls = urls.iter().map(|(name, url)| (*name, url.as_str()));
        Process::start(folder.path(), &[], &urls.chain([("APP_ROLE", role)]).collect::<Vec<_>>())
    };
    let [mut web, mut worker, mut scheduler] = ["web", "worker", "scheduler"].map(start);
    let demo = web.client().await.signed_in(DEMO.0, DEMO.1).await;
    worker.ready().await;
    scheduler.ready().await;
    search_what_was_added(&demo, read_urls.is_some()).await;
    demo.issued(&demo.add_customer("Ada").await).await;
    let mail = eventually("the mail", async || texts(folder.path(), "eml").pop()).await;
    assert!(mail.contains("Invoice 1 from"), "{mail}");
    let invoices = demo.read("/v1/invoices").await;
    let month = &text(&invoices["items"][0], "issued_at")[..7];
    let asked = demo.post("/v1/reports", &json!({ "kind": "revenue", "month": month })).await.expect(202);
    let report = eventually("the report", async || {
        Some(demo.read(asked.header("location")).await).filter(|report| report["status"] == "done")
    });
    let csv = demo.get(text(&report.await, "download_url")).send().await.expect(200);
    assert!(csv.text().contains(",EUR,1,259900"), "{csv:?}");
    for process in [web, worker, scheduler] {
        process.signal("TERM");
        let ended = process.ended().await.well();
        assert!(!ended.stderr.contains(" ERROR "), "{}", ended.stderr);
    }
    if let Some(place) = place {
        let database = place.open(&[]).await.unwrap();
        place.remove(&database).await;
    }
}

/// A customer is found as soon as it is added by who sends the position that came with the answer; where replicas are, and
/// only there, there is one.
async fn search_what_was_added(demo: &Client, has_replicas: bool) {
    for number in 0..20 {
        let name = format!("Ada {number}");
        let added = demo.post("/v1/customers", &customer_named(&name)).await.expect(201);
        let position = added.header("dolmen-position");
        assert_eq!(!position.is_empty(), has_replicas, "{added:?}");
        let mut search = demo.get(&format!("/v1/customers?search=ada%20{number}&limit=1"));
        if has_replicas {
            search = search.header("dolmen-position", position);
        }
        assert_eq!(search.send().await.json(200)["items"][0]["name"], name);
    }
}

async fn web_and_worker_start_on_the_same_ports_in_any_order() {
    for order in [["web", "worker,scheduler"], ["worker,scheduler", "web"]] {
        let folder = TempDir::new().unwrap();
        let (port, management) = (free_port().to_string(), free_port().to_string());
        let start = |role| {
            let variables = [("PORT", port.as_str()), ("MANAGEMENT_PORT", &management), ("APP_ROLE", role)];
            Process::start(folder.path(), &[], &variables)
        };
        let mut first = start(order[0]);
        first.ready().await;
        let mut second = start(order[1]);
        second.ready().await;
    }
}

async fn management_tells_roles_modules_and_jobs() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[]);
    let operations = process.ready().await;
    for probe in ["/livez", "/readyz", "/startupz"] {
        operations.get(probe).send().await.expect(200);
    }
    let info = operations.read("/ops/info").await;
    assert_eq!(info["roles"], json!(["web", "worker", "scheduler"]));
    assert_eq!((text(&info, "database"), &info["schema"]), ("sqlite", &json!({ "state": "up_to_date" })));
    let modules = operations.read("/ops/modules").await;
    let names: Vec<&str> = modules.as_array().unwrap().iter().map(|module| text(module, "name")).collect();
    assert_eq!(names, ["accounts", "customers", "invoices", "notifications", "reports"]);
    assert_eq!(modules[3]["subscriptions"][0]["event"], "invoices.invoice_issued.v1");
    assert_eq!(modules[4]["schedules"][0]["name"], "reports.nightly");
    let jobs = operations.read("/ops/jobs").await;
    assert_eq!((&jobs["depth"], &jobs["dead"], &jobs["oldest_ready_ms"]), (&json!(0), &json!(0), &json!(0)));
    let schedules = operations.read("/ops/schedules").await;
    assert_eq!((&schedules[0]["name"], &schedules[0]["late_ms"]), (&json!("reports.nightly"), &json!(0)));
    // Never on the public port.
    let anybody = process.client().await;
    for path in ["/ops/info", "/ops/jobs", "/ops/schedules", "/livez", "/readyz", "/startupz"] {
        anybody.get(path).send().await.problem(404, "request/not-found");
    }
}
