//! `/v1/invoices`: drafting, reading, and each step of an invoice's life.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Case, TestApp, UNKNOWN, cases, invoice_for, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        a_draft_has_no_number_and_adds_up,
        a_draft_needs_a_key_of_the_sender,
        each_broken_rule_names_its_place,
        the_largest_and_the_smallest_are_taken,
        a_customer_must_be_one_of_the_tenant,
        an_invoice_lives_as_its_status_allows,
        issuing_gives_number_and_time_and_keeps_the_rest,
        a_cancelled_invoice_keeps_its_number,
        an_unknown_invoice_is_not_found,
    ]
}

async fn a_draft_has_no_number_and_adds_up(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let answer = app.demo.drafting("k", &invoice_for(&customer)).send().await;
    let draft = answer.json(201);
    let location = format!("/v1/invoices/{}", text(&draft, "id"));
    assert_eq!(answer.header("location"), location);
    let mut expected = invoice_for(&customer);
    for (field, value) in [
        ("id", draft["id"].clone()),
        ("status", json!("draft")),
        ("number", Value::Null),
        ("total_minor", json!(259_900)),
        ("created_at", json!(app.now().to_string())),
        ("issued_at", Value::Null),
    ] {
        expected[field] = value;
    }
    assert_eq!(draft, expected);
    assert_eq!(app.demo.read(&location).await, draft);
}

async fn a_draft_needs_a_key_of_the_sender(app: &TestApp) {
    let body = invoice_for(&app.demo.add_customer("Ada").await);
    let without = app.demo.post("/v1/invoices", &body).await;
    without.problem(400, "idempotency/missing");
    for key in ["", &"k".repeat(256), "schlüssel", "tab\there"] {
        app.demo.drafting(key, &body).send().await.problem(400, "idempotency/invalid-key");
    }
    for key in ["k", "with space", "~!@#$%^&*()", &"k".repeat(255)] {
        app.demo.drafting(key, &body).send().await.expect(201);
    }
    assert_eq!(app.demo.all("/v1/invoices", 200).await.len(), 4);
}

async fn each_broken_rule_names_its_place(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let line = invoice_for(&customer)["lines"][0].clone();
    for (at, value) in [
        ("/customer_id", json!("ada")),
        ("/customer_id", json!(7)),
        ("/currency", json!("eur")),
        ("/currency", json!("EURO")),
        ("/currency", json!("ÄÖÜ")),
        ("/currency", Value::Null),
        ("/lines", json!([])),
        ("/lines", json!({})),
        ("/lines", json!(vec![line; 201])),
        ("/lines/1/description", json!("")),
        ("/lines/1/description", json!(" ")),
        ("/lines/1/description", json!("a\nb")),
        ("/lines/1/description", json!("a\u{0}b")),
        ("/lines/1/description", json!("x".repeat(501))),
        ("/lines/1/quantity", json!(0)),
        ("/lines/1/quantity", json!(-1)),
        ("/lines/1/quantity", json!(1_000_001)),
        ("/lines/1/quantity", json!(1.5)),
        ("/lines/1/quantity", json!("1")),
        ("/lines/1/quantity", json!(true)),
        ("/lines/1/quantity", json!(9_223_372_036_854_775_808_u64)),
        ("/lines/1/quantity", json!(1e300)),
        ("/lines/1/unit_price_minor", json!(-1)),
        ("/lines/1/unit_price_minor", json!(1_000_000_000_001_i64)),
        ("/lines/1/unit_price_minor", Value::Null),
    ] {
        let mut body = invoice_for(&customer);
        *body.pointer_mut(at).unwrap() = value;
        let answer = app.demo.drafting("k", &body).send().await.expect(422);
        assert_eq!(answer.pointers(), [at], "{body}");
    }
    for (field, at) in
        [("status", "/status"), ("number", "/number"), ("total_minor", "/total_minor"), ("id", "/id")]
    {
        let mut body = invoice_for(&customer);
        body[field] = json!(1);
        let answer = app.demo.drafting("k", &body).send().await;
        answer.problem(422, "request/unknown-field");
        assert_eq!(answer.pointers(), [at]);
    }
    let answer = app.demo.drafting("k", &json!({ "lines": [{}, 1] })).send().await;
    answer.problem(422, "request/validation");
    let all = [
        "/customer_id",
        "/currency",
        "/lines/0/description",
        "/lines/0/quantity",
        "/lines/0/unit_price_minor",
        "/lines/1",
    ];
    assert_eq!(answer.pointers(), all, "all at once");
    assert!(app.demo.all("/v1/invoices", 200).await.is_empty());
}

async fn the_largest_and_the_smallest_are_taken(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let line = |quantity: i64, price: i64| json!({ "description": "Stone", "quantity": quantity, "unit_price_minor": price });
    let total = async |key: &str, lines: Vec<Value>| {
        let body = json!({ "customer_id": customer, "currency": "JPY", "lines": lines });
        app.demo.drafting(key, &body).send().await
    };
    assert_eq!(total("free", vec![line(1, 0)]).await.json(201)["total_minor"], 0);
    assert_eq!(
        total("most", vec![line(1_000, 1_000_000_000_000)]).await.json(201)["total_minor"],
        1_000_000_000_000_000_i64
    );
    assert_eq!(total("long", vec![line(1, 1); 200]).await.json(201)["lines"].as_array().unwrap().len(), 200);
    let too_much = total("more", vec![line(1_000, 1_000_000_000_000), line(1, 1)]).await;
    too_much.problem(422, "request/validation");
    assert_eq!(too_much.pointers(), ["/lines"]);
}

async fn a_customer_must_be_one_of_the_tenant(app: &TestApp) {
    let unknown = app.demo.drafting("k", &invoice_for(UNKNOWN)).send().await;
    unknown.problem(422, "request/validation");
    assert_eq!(unknown.pointers(), ["/customer_id"]);
    let (_, rival) = app.other_tenant().await;
    let foreign = app.demo.drafting("k", &invoice_for(&rival.add_customer("Eve").await)).send().await;
    assert_eq!(foreign.visible(), unknown.visible());
}

async fn an_invoice_lives_as_its_status_allows(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    for (steps, allowed) in [
        (&[][..], &["issue", "cancel"][..]),
        (&["issue"], &["pay", "cancel"]),
        (&["issue", "pay"], &[]),
        (&["cancel"], &[]),
        (&["issue", "cancel"], &[]),
    ] {
        for step in ["issue", "pay", "cancel"] {
            let path = format!("/v1/invoices/{}", app.demo.draft(&customer).await);
            for done in steps {
                app.demo.order(&format!("{path}/{done}")).await.expect(200);
            }
            let before = app.demo.read(&path).await;
            let answer = app.demo.order(&format!("{path}/{step}")).await;
            if allowed.contains(&step) {
                assert_eq!(app.demo.read(&path).await, answer.json(200));
                assert_ne!(answer.json(200)["status"], before["status"]);
            } else {
                answer.problem(409, "invoices/refused-transition");
                assert_eq!(app.demo.read(&path).await, before, "{steps:?} {step}");
            }
        }
    }
}

async fn issuing_gives_number_and_time_and_keeps_the_rest(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let mut expected = app.demo.drafting("k", &invoice_for(&customer)).send().await.json(201);
    let path = format!("/v1/invoices/{}", text(&expected, "id"));
    app.clock.advance(Duration::from_micros(1));
    for (field, value) in
        [("status", json!("issued")), ("number", json!(1)), ("issued_at", json!(app.now().to_string()))]
    {
        expected[field] = value;
    }
    assert_eq!(app.demo.order(&format!("{path}/issue")).await.json(200), expected);
    app.clock.advance(Duration::from_hours(1));
    expected["status"] = json!("paid");
    assert_eq!(app.demo.order(&format!("{path}/pay")).await.json(200), expected);
    assert_eq!(app.demo.read(&path).await, expected);
}

async fn a_cancelled_invoice_keeps_its_number(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let draft = format!("/v1/invoices/{}/cancel", app.demo.draft(&customer).await);
    let cancelled = app.demo.order(&draft).await.json(200);
    assert_eq!((text(&cancelled, "status"), &cancelled["number"]), ("cancelled", &Value::Null));
    let first = app.demo.issued(&customer).await;
    let cancelled = app.demo.order(&format!("/v1/invoices/{}/cancel", text(&first, "id"))).await.json(200);
    assert_eq!((text(&cancelled, "status"), &cancelled["number"]), ("cancelled", &json!(1)));
    assert_eq!(cancelled["issued_at"], first["issued_at"]);
    assert_eq!(app.demo.issued(&customer).await["number"], 2, "nobody gets its number");
}

async fn an_unknown_invoice_is_not_found(app: &TestApp) {
    for id in [UNKNOWN, "00000000-0000-0000-0000-000000000000"] {
        app.demo.get(&format!("/v1/invoices/{id}")).send().await.problem(404, "request/not-found");
        for step in ["issue", "pay", "cancel"] {
            app.demo.order(&format!("/v1/invoices/{id}/{step}")).await.problem(404, "request/not-found");
        }
    }
    for id in ["1", "abc", "%00"] {
        app.demo.get(&format!("/v1/invoices/{id}")).send().await.problem(400, "request/invalid-id");
        for step in ["issue", "pay", "cancel"] {
            app.demo.order(&format!("/v1/invoices/{id}/{step}")).await.problem(400, "request/invalid-id");
        }
    }
}
