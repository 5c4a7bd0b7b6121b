//! The tour of an application whose roles are three processes, on each database; on PostgreSQL with read replicas.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Backend, Case, Client, DEMO, Process, cases, eventually, text, texts};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_each: the_tour_passes_with_roles_in_three_processes]
}

/// The variables of every process: which database, and how it is reached.
type Variables = Vec<(&'static str, String)>;

async fn the_tour_passes_with_roles_in_three_processes(backend: Backend) {
    let folder = TempDir::new().unwrap();
    let place = backend.database().await;
    let mut variables: Variables = Vec::new();
    if let Some(place) = &place {
        variables.push(("DATABASE_URL", place.url().to_owned()));
        variables.extend(place.migration_url().map(|url| ("DATABASE_MIGRATION_URL", url.to_owned())));
    }
    let read_urls = backend.read_urls(place.as_ref());
    variables.extend(read_urls.clone().map(|urls| ("DATABASE_READ_URLS", urls)));
    let start = |role: &str, arguments: &[&str]| {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<_> = variables.chain([("APP_ROLE", role)]).collect();
        Process::start(folder.path(), arguments, &variables)
    };
    start("migrate", &["migrate"]).ended().await.well();
    let mut web = start("web", &[]);
    let (mut worker, mut scheduler) = (start("worker", &[]), start("scheduler", &[]));
    let demo = web.client().await.signed_in(DEMO.0, DEMO.1).await;
    worker.ready().await;
    scheduler.ready().await;
    search(&demo, read_urls.is_some()).await;
    tour(&demo, &folder).await;
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
async fn search(demo: &Client, has_replicas: bool) {
    for number in 0..20 {
        let name = format!("Ada {number}");
        let added = demo.post("/v1/customers", &crate::support::customer_named(&name)).await.expect(201);
        let position = added.header("dolmen-position");
        assert_eq!(!position.is_empty(), has_replicas, "{added:?}");
        let mut search = demo.get(&format!("/v1/customers?search=ada%20{number}&limit=1"));
        if has_replicas {
            search = search.header("dolmen-position", position);
        }
        assert_eq!(search.send().await.json(200)["items"][0]["name"], name);
    }
}

/// An invoice is issued by the web process; the worker mails it and writes a report.
async fn tour(demo: &Client, folder: &TempDir) {
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
}
