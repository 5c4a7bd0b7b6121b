//! Who did what: a row for each change, in its transaction, and none for what was refused.

use serde_json::json;

use crate::support::{Case, TestApp, UNKNOWN, cases, customer_named, eventually, invoice_for, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app: each_change_leaves_a_row_and_nothing_else_does]
}

async fn each_change_leaves_a_row_and_nothing_else_does(app: &TestApp) {
    let user = app.demo.read("/v1/me").await;
    let customer = app.demo.add_customer("Ada").await;
    let change = app.demo.call("PUT", &format!("/v1/customers/{customer}")).header("if-match", "\"1\"");
    change.json(&customer_named("Bea")).send().await.expect(200);
    let stale = app.demo.call("PUT", &format!("/v1/customers/{customer}")).header("if-match", "\"1\"");
    stale.json(&customer_named("Cleo")).send().await.expect(412);
    let invoice = app.demo.issued(&customer).await;
    let path = format!("/v1/invoices/{}", text(&invoice, "id"));
    app.demo.order(&format!("{path}/issue")).await.expect(409);
    app.demo.order(&format!("{path}/pay")).await.expect(200);
    app.demo.drafting("k", &invoice_for(UNKNOWN)).send().await.expect(422);
    let draft = app.demo.draft(&customer).await;
    app.demo.order(&format!("/v1/invoices/{draft}/cancel")).await.expect(200);
    let report =
        app.demo.post("/v1/reports", &json!({ "kind": "revenue", "month": "2026-10" })).await.json(202);
    let wrong = json!({ "email": crate::support::DEMO.0, "password": "wrong" });
    app.anybody.post("/v1/session", &wrong).await.expect(401);
    app.demo.call("DELETE", "/v1/session").send().await.expect(204);
    let (user, invoice) =
        (format!("user/{}", text(&user, "user_id")), format!("invoice/{}", text(&invoice, "id")));
    let (customer, draft) = (format!("customer/{customer}"), format!("invoice/{draft}"));
    let report = format!("report/{}", text(&report, "id"));
    let expected = [
        ("accounts.sign_in", &user),
        ("customers.add_customer", &customer),
        ("customers.change_customer", &customer),
        ("invoices.create_invoice", &invoice),
        ("invoices.issue_invoice", &invoice),
        ("invoices.pay_invoice", &invoice),
        ("invoices.create_invoice", &draft),
        ("invoices.cancel_invoice", &draft),
        ("reports.request_report", &report),
        ("accounts.sign_out", &user),
    ];
    let expected: Vec<(String, String)> =
        expected.iter().map(|(action, target)| ((*action).to_owned(), (*target).clone())).collect();
    eventually("the mail", async || app.mails().pop()).await;
    assert_eq!(app.audited().await, expected);
}
