//! The process from its start to its end: drained by SIGTERM, killed, started again, and several at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{
    Case, Client, DEMO, Process, cases, customer_named, eventually, free_port, text, texts,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![alone:
        sigterm_under_load_fails_no_request_and_loses_nothing,
        sigint_ends_it_too,
        a_second_signal_ends_it_at_once,
        what_was_acknowledged_outlives_a_kill,
        a_second_process_takes_another_management_port,
        a_taken_port_is_told,
    ]
}

/// Adds customers, one after the other, until it is told to stop; the ids of those that were acknowledged.
async fn add_customers(client: Client, stop: Arc<AtomicBool>, added: Arc<std::sync::Mutex<Vec<String>>>) {
    while !stop.load(Ordering::SeqCst) {
        let answer = client.post("/v1/customers", &customer_named("Ada")).await.json(201);
        added.lock().unwrap().push(text(&answer, "id").to_owned());
    }
}

async fn sigterm_under_load_fails_no_request_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[("APP_SHUTDOWN_DELAY", "2s")]);
    let operations = process.ready().await;
    let demo = process.client().await.signed_in(DEMO.0, DEMO.1).await;
    let (stop, added) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let mut load = JoinSet::new();
    for _ in 0..4 {
        load.spawn(add_customers(demo.clone(), Arc::clone(&stop), Arc::clone(&added)));
    }
    let count = || added.lock().unwrap().len();
    eventually("load", async || (count() >= 20).then_some(())).await;
    process.signal("TERM");
    // As a load balancer does: new requests come until the process says that it is not ready.
    eventually("the end of readiness", async || {
        (operations.get("/readyz").send().await.status == 503).then_some(())
    })
    .await;
    let before = count();
    eventually("answers while it drains", async || (count() > before).then_some(())).await;
    stop.store(true, Ordering::SeqCst);
    load.join_all().await;
    let ended = process.ended().await.well();
    assert!(!ended.stderr.contains(" WARN ") && !ended.stderr.contains(" ERROR "), "{}", ended.stderr);
    let mut again = Process::start(folder.path(), &[], &[]);
    let demo = again.client().await.signed_in(DEMO.0, DEMO.1).await;
    let stored: Vec<Value> = demo.all("/v1/customers", 200).await;
    let mut stored: Vec<String> = stored.iter().map(|customer| text(customer, "id").to_owned()).collect();
    let mut acknowledged = added.lock().unwrap().clone();
    stored.sort();
    acknowledged.sort();
    assert_eq!(stored, acknowledged);
}

async fn sigint_ends_it_too() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[]);
    process.ready().await;
    process.signal("INT");
    process.ended().await.well();
}

async fn a_second_signal_ends_it_at_once() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[("APP_SHUTDOWN_DELAY", "5m")]);
    let operations = process.ready().await;
    process.signal("TERM");
    eventually("the end of readiness", async || {
        (operations.get("/readyz").send().await.status == 503).then_some(())
    })
    .await;
    // Not SIGTERM: sent twice within a second, it is one request.
    process.signal("INT");
    let ended = process.ended().await;
    assert_ne!(ended.status.code(), Some(0), "{}", ended.stderr);
}

async fn what_was_acknowledged_outlives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[]);
    let demo = process.client().await.signed_in(DEMO.0, DEMO.1).await;
    let customer = demo.add_customer("Ada").await;
    let mut issued = Vec::new();
    for _ in 0..3 {
        issued.push(demo.issued(&customer).await);
    }
    process.signal("KILL");
    assert_eq!(process.ended().await.status.code(), None);
    let mut again = Process::start(folder.path(), &[], &[]);
    let operations = again.ready().await;
    let client = again.client().await.with_token("nonsense");
    client.get("/v1/me").send().await.expect(401);
    let demo = client.signed_in(DEMO.0, DEMO.1).await;
    issued.reverse();
    assert_eq!(demo.all("/v1/invoices", 200).await, issued);
    // Each event is still there: jobs that nobody finished are finished now.
    let subjects = || {
        let mails = texts(folder.path(), "eml").into_iter();
        let subjects = mails
            .filter_map(|mail| mail.lines().find(|line| line.starts_with("Subject: ")).map(str::to_owned));
        subjects.collect::<BTreeSet<_>>()
    };
    eventually("the mails", async || (subjects().len() == 3).then_some(())).await;
    assert_eq!(operations.read("/ops/jobs").await["dead"], 0);
    assert_eq!(demo.issued(&customer).await["number"], 4);
}

async fn a_second_process_takes_another_management_port() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let port = free_port().to_string();
    let mut first = Process::start(one.path(), &[], &[("MANAGEMENT_PORT", &port)]);
    first.ready().await;
    assert_eq!(first.address("the management port listens").await.port().to_string(), port);
    let mut second = Process::start(other.path(), &[], &[("MANAGEMENT_PORT", &port)]);
    second.ready().await;
    assert_ne!(second.address("the management port listens").await.port().to_string(), port);
    assert!(second.stderr().contains("the management port is taken"), "{}", second.stderr());
    eventually("the welcome", async || {
        second.stdout().contains("sign in     demo@example.com").then_some(())
    })
    .await;
}

async fn a_taken_port_is_told() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Process::start(folder.path(), &[], &[("PORT", &port)]).ended().await;
    assert_ne!(ended.status.code(), Some(0));
    let line = ended.stderr.lines().find(|line| line.starts_with("error[")).unwrap_or_default();
    assert!(line.contains(&port) && line.contains("set PORT"), "{}", ended.stderr);
}
