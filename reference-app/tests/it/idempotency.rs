//! `Idempotency-Key`: the same request gets the first answer again, and is done once.

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Case, TestApp, UNKNOWN, cases, invoice_for, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        a_repeated_request_gets_the_first_answer,
        the_first_answer_comes_after_the_invoice_was_issued_too,
        a_key_with_another_body_is_refused,
        equal_requests_at_once_make_one_invoice,
        a_refused_request_leaves_its_key_free,
        a_key_belongs_to_its_tenant,
    ]
}

async fn a_repeated_request_gets_the_first_answer(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let body = invoice_for(&customer);
    let first = app.demo.drafting("k", &body).send().await.expect(201);
    let again = app.demo.drafting("k", &body).send().await;
    assert_eq!(again.visible(), first.visible());
    // The same content in other letters.
    let spaced = format!(
        "{{ \"lines\": {}, \"currency\":\"\\u0045UR\",\n \"customer_id\": \"{}\" }}",
        body["lines"],
        customer.to_uppercase()
    );
    let respelt = app.demo.drafting("k", &body).body(spaced).send().await;
    assert_eq!(respelt.visible(), first.visible());
    assert_eq!(app.demo.all("/v1/invoices", 200).await.len(), 1);
    let drafted = app.audited().await.into_iter().filter(|(action, _)| action == "invoices.create_invoice");
    assert_eq!(drafted.count(), 1);
}

async fn the_first_answer_comes_after_the_invoice_was_issued_too(app: &TestApp) {
    let body = invoice_for(&app.demo.add_customer("Ada").await);
    let first = app.demo.drafting("k", &body).send().await.expect(201);
    let path = format!("/v1/invoices/{}", text(&first.json(201), "id"));
    for step in ["issue", "pay"] {
        app.demo.order(&format!("{path}/{step}")).await.expect(200);
        assert_eq!(app.demo.drafting("k", &body).send().await.visible(), first.visible());
    }
    assert_eq!(app.demo.read(&path).await["status"], "paid");
    assert_eq!(app.demo.all("/v1/invoices", 200).await.len(), 1);
}

async fn a_key_with_another_body_is_refused(app: &TestApp) {
    let body = invoice_for(&app.demo.add_customer("Ada").await);
    let first = app.demo.drafting("k", &body).send().await.expect(201);
    for (at, value) in [
        ("/lines/0/quantity", json!(3)),
        ("/lines/1/description", json!("delivery")),
        ("/currency", json!("USD")),
        ("/customer_id", json!(UNKNOWN)),
        ("/lines", json!([body["lines"][1], body["lines"][0]])),
    ] {
        let mut other = body.clone();
        *other.pointer_mut(at).unwrap() = value;
        app.demo.drafting("k", &other).send().await.problem(422, "idempotency/mismatch");
    }
    app.demo.drafting("K", &body).send().await.expect(201);
    assert_eq!(app.demo.drafting("k", &body).send().await.visible(), first.visible());
}

async fn equal_requests_at_once_make_one_invoice(app: &TestApp) {
    let body = invoice_for(&app.demo.add_customer("Ada").await);
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (client, body) = (app.demo.clone(), body.clone());
        tasks.spawn(async move { client.drafting("k", &body).send().await });
    }
    let answers = tasks.join_all().await;
    for answer in &answers {
        assert_eq!(answer.json(201), answers[0].json(201));
    }
    assert_eq!(app.demo.all("/v1/invoices", 200).await.len(), 1);
}

async fn a_refused_request_leaves_its_key_free(app: &TestApp) {
    app.demo.drafting("k", &invoice_for(UNKNOWN)).send().await.expect(422);
    let body = invoice_for(&app.demo.add_customer("Ada").await);
    app.demo.drafting("k", &body).send().await.expect(201);
}

async fn a_key_belongs_to_its_tenant(app: &TestApp) {
    let (_, rival) = app.other_tenant().await;
    let ours =
        app.demo.drafting("k", &invoice_for(&app.demo.add_customer("Ada").await)).send().await.json(201);
    let theirs = rival.drafting("k", &invoice_for(&rival.add_customer("Eve").await)).send().await.json(201);
    assert_ne!(ours["id"], theirs["id"]);
    assert_eq!(rival.all("/v1/invoices", 200).await, [theirs]);
}
