//! One tenant sees nothing of another, and cannot even tell that it is there (A2, A6).

use serde_json::json;

use crate::support::{Answer, Case, Client, Operation, TestApp, UNKNOWN, cases, customer_named, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app: another_tenant_s_id_is_unknown_in_each_operation, lists_and_searches_hold_the_tenant_s_own]
}

/// A request that is right in everything but, maybe, its id.
async fn ask(client: &Client, operation: &Operation, id: &str) -> Answer {
    let call = client.call(&operation.method, &operation.path_of(id));
    match operation.required_headers().as_slice() {
        [] => call,
        [header] if header == "If-Match" => call.header("if-match", "\"1\"").json(&customer_named("Eve")),
        other => panic!("this test knows no {other:?}"),
    }
    .send()
    .await
}

async fn another_tenant_s_id_is_unknown_in_each_operation(app: &TestApp) {
    let (_, rival) = app.other_tenant().await;
    let customer = app.demo.add_customer("Ada").await;
    let report =
        app.demo.post("/v1/reports", &json!({ "kind": "revenue", "month": "2026-10" })).await.json(202);
    let draft = app.demo.draft(&customer).await;
    let issued = text(&app.demo.issued(&customer).await, "id").to_owned();
    app.all_jobs_done().await;
    let with_id: Vec<Operation> =
        app.demo.document().operations().into_iter().filter(Operation::has_id).collect();
    assert_eq!(with_id.len(), 7, "{with_id:?}");
    for operation in with_id {
        let ids = match operation.path.split('/').nth(2) {
            Some("customers") => vec![customer.as_str()],
            Some("invoices") => vec![draft.as_str(), issued.as_str()],
            Some("reports") => vec![text(&report, "id")],
            other => panic!("this test knows no {other:?}"),
        };
        let unknown = ask(&rival, &operation, UNKNOWN).await;
        unknown.problem(404, "request/not-found");
        for id in ids {
            let foreign = ask(&rival, &operation, id).await;
            assert_eq!(foreign.visible(), unknown.visible(), "{operation:?}");
        }
    }
    assert_eq!(app.demo.read(&format!("/v1/invoices/{draft}")).await["status"], "draft");
    assert_eq!(app.demo.read(&format!("/v1/invoices/{issued}")).await["status"], "issued");
    assert_eq!(app.demo.read(&format!("/v1/customers/{customer}")).await["name"], "Ada");
}

async fn lists_and_searches_hold_the_tenant_s_own(app: &TestApp) {
    let (tenant, rival) = app.other_tenant().await;
    app.demo.issued(&app.demo.add_customer("Ada").await).await;
    assert_eq!(text(&rival.read("/v1/me").await, "tenant_id"), tenant.to_string());
    for list in ["/v1/customers", "/v1/customers?search=ada", "/v1/invoices", "/v1/invoices?status=issued"] {
        assert_eq!(app.demo.all(list, 200).await.len(), 1, "{list}");
        assert!(rival.all(list, 200).await.is_empty(), "{list}");
    }
    rival.add_customer("Eve").await;
    app.demo.add_customer("Bea").await;
    assert_eq!(rival.all("/v1/customers", 1).await.len(), 1);
    // A cursor is no secret and no key: it only says where to go on.
    let page = app.demo.read("/v1/customers?limit=1").await;
    let next = rival.read(&format!("/v1/customers?cursor={}", text(&page, "next_cursor"))).await;
    assert!(next["items"].as_array().unwrap().iter().all(|customer| customer["name"] == "Eve"), "{next}");
}
