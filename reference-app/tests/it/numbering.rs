//! Numbers of invoices: 1, 2, 3 … per tenant, without a gap, whatever happens at once.

use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{Case, Client, TestApp, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        numbers_have_no_gap_under_concurrent_and_refused_issues,
        one_invoice_issued_many_times_at_once_gets_one_number,
        each_tenant_counts_for_itself,
    ]
}

/// Orders all at once; the statuses and the numbers, both sorted.
async fn order_all(client: &Client, paths: impl IntoIterator<Item = String>) -> (Vec<u16>, Vec<i64>) {
    let mut tasks = JoinSet::new();
    for path in paths {
        let client = client.clone();
        tasks.spawn(async move { client.order(&path).await });
    }
    let answers = tasks.join_all().await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let issued = answers.iter().filter(|answer| answer.status == 200);
    let mut numbers: Vec<i64> = issued.map(|answer| answer.json(200)["number"].as_i64().unwrap()).collect();
    statuses.sort_unstable();
    numbers.sort_unstable();
    (statuses, numbers)
}

async fn numbers_have_no_gap_under_concurrent_and_refused_issues(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let mut paths = Vec::new();
    for index in 0..20 {
        let id = app.demo.draft(&customer).await;
        if index % 4 == 3 {
            app.demo.order(&format!("/v1/invoices/{id}/cancel")).await.expect(200);
        }
        paths.push(format!("/v1/invoices/{id}/issue"));
    }
    let (statuses, numbers) = order_all(&app.demo, paths).await;
    assert_eq!(statuses, [vec![200; 15], vec![409; 5]].concat());
    assert_eq!(numbers, (1..=15).collect::<Vec<i64>>());
    assert_eq!(app.demo.issued(&customer).await["number"], 16);
    let mut stored: Vec<Value> = app.demo.all("/v1/invoices?status=issued", 7).await;
    stored.sort_by_key(|invoice| invoice["number"].as_i64());
    let stored: Vec<i64> = stored.iter().filter_map(|invoice| invoice["number"].as_i64()).collect();
    assert_eq!(stored, (1..=16).collect::<Vec<i64>>());
}

async fn one_invoice_issued_many_times_at_once_gets_one_number(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let path = format!("/v1/invoices/{}/issue", app.demo.draft(&customer).await);
    let (statuses, numbers) = order_all(&app.demo, vec![path; 10]).await;
    assert_eq!(statuses, [vec![200], vec![409; 9]].concat());
    assert_eq!(numbers, [1]);
    app.all_jobs_done().await;
    assert_eq!(app.mails().len(), 1, "one event, one mail");
    assert_eq!(app.demo.issued(&customer).await["number"], 2);
}

async fn each_tenant_counts_for_itself(app: &TestApp) {
    let (_, rival) = app.other_tenant().await;
    for client in [&app.demo, &rival] {
        let customer = client.add_customer("Ada").await;
        for number in 1..=2 {
            assert_eq!(client.issued(&customer).await["number"], number);
        }
    }
}
