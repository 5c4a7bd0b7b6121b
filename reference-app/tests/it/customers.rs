//! `/v1/customers`: adding, reading, changing with `If-Match`. Lists are tested in `lists`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Case, Client, TestApp, UNKNOWN, cases, customer_named, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        an_added_customer_is_read_at_its_location,
        texts_come_back_as_they_were_sent,
        each_broken_rule_names_its_field,
        what_the_server_owns_cannot_be_set,
        a_change_needs_the_version_that_was_read,
        of_two_changes_at_once_one_is_stale,
        an_etag_that_is_none_is_malformed_or_stale,
        an_unknown_customer_is_not_found,
    ]
}

async fn change(client: &Client, id: &str, etag: &str, body: &Value) -> Answer {
    client.call("PUT", &format!("/v1/customers/{id}")).header("if-match", etag).json(body).send().await
}

async fn an_added_customer_is_read_at_its_location(app: &TestApp) {
    let answer = app.demo.post("/v1/customers", &customer_named("Ada Stone")).await;
    let added = answer.json(201);
    let location = format!("/v1/customers/{}", text(&added, "id"));
    assert_eq!((answer.header("location"), answer.header("etag")), (location.as_str(), "\"1\""));
    let mut expected = customer_named("Ada Stone");
    expected["id"] = added["id"].clone();
    expected["created_at"] = json!(app.now().to_string());
    assert_eq!(added, expected);
    let read = app.demo.get(&location).send().await;
    assert_eq!((read.json(200), read.header("etag")), (added, "\"1\""));
    let head = app.demo.call("HEAD", &location).send().await.expect(200);
    assert!(head.body.is_empty() && head.header("etag") == "\"1\"", "{head:?}");
}

async fn texts_come_back_as_they_were_sent(app: &TestApp) {
    for name in
        ["Ünal & Söhne GmbH", "😀 \u{202e}RTL", "'; drop table customers_customer; --", "\"q\" \\ %_", "A  B"]
    {
        let added = app.demo.post("/v1/customers", &customer_named(name)).await.json(201);
        let read = app.demo.read(&format!("/v1/customers/{}", text(&added, "id"))).await;
        assert_eq!(text(&read, "name"), name);
    }
    let spaced = json!({ "name": " Ada ", "email": " ada@example.com ", "address": "\n1 Row\n2 Row\n" });
    let added = app.demo.post("/v1/customers", &spaced).await.json(201);
    assert_eq!((text(&added, "name"), text(&added, "address")), ("Ada", "1 Row\n2 Row"));
    app.demo.post("/v1/customers", &customer_named(&"😀".repeat(200))).await.expect(201);
}

async fn each_broken_rule_names_its_field(app: &TestApp) {
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\nb")),
        ("name", json!("a\u{0}b")),
        ("name", json!(7)),
        ("name", Value::Null),
        ("email", json!("ada.example.com")),
        ("email", json!("ada@example.com\r\nBcc: eve@example.com")),
        ("email", json!("ada@example.com, eve@example.com")),
        ("email", json!("Ada <ada@example.com>")),
        ("email", json!(format!("{}@example.com", "a".repeat(300)))),
        ("address", json!("")),
        ("address", json!("x".repeat(1001))),
        ("address", json!("a\r\nb")),
        ("address", json!(["a"])),
    ] {
        let mut body = customer_named("Ada");
        body[field] = value;
        let answer = app.demo.post("/v1/customers", &body).await.expect(422);
        assert_eq!(answer.pointers(), [format!("/{field}")], "{body}");
    }
    let answer = app.demo.post("/v1/customers", &json!({ "name": 1 })).await;
    answer.problem(422, "request/validation");
    assert_eq!(answer.pointers(), ["/email", "/address", "/name"], "all at once");
}

async fn what_the_server_owns_cannot_be_set(app: &TestApp) {
    let id = app.demo.add_customer("Ada").await;
    for field in ["id", "tenant", "tenant_id", "created_at", "version", "role"] {
        let mut body = customer_named("Ada");
        body[field] = json!(UNKNOWN);
        let answer = app.demo.post("/v1/customers", &body).await;
        answer.problem(422, "request/unknown-field");
        assert_eq!(answer.pointers(), [format!("/{field}")]);
        change(&app.demo, &id, "\"1\"", &body).await.problem(422, "request/unknown-field");
    }
}

async fn a_change_needs_the_version_that_was_read(app: &TestApp) {
    let id = app.demo.add_customer("Ada").await;
    let path = format!("/v1/customers/{id}");
    let without = app.demo.call("PUT", &path).json(&customer_named("Bea")).send().await;
    without.problem(428, "request/precondition-required");
    app.clock.advance(Duration::from_hours(1));
    let changed = change(&app.demo, &id, "\"1\"", &customer_named("Bea")).await;
    let body = changed.json(200);
    assert_eq!((text(&body, "name"), changed.header("etag")), ("Bea", "\"2\""));
    let stale = change(&app.demo, &id, "\"1\"", &customer_named("Cleo")).await;
    stale.problem(412, "conflict/version");
    let read = app.demo.get(&path).send().await;
    assert_eq!((read.json(200), read.header("etag")), (body, "\"2\""));
    // What is refused for its content changes no version.
    change(&app.demo, &id, "\"2\"", &customer_named("")).await.expect(422);
    let changed = change(&app.demo, &id, "\"2\"", &customer_named("Cleo")).await.expect(200);
    assert_eq!(changed.header("etag"), "\"3\"");
}

async fn of_two_changes_at_once_one_is_stale(app: &TestApp) {
    let id = app.demo.add_customer("Ada").await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (client, id) = (app.demo.clone(), id.clone());
        tasks.spawn(async move {
            change(&client, &id, "\"1\"", &customer_named(&format!("Ada {number}"))).await.status
        });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    let read = app.demo.get(&format!("/v1/customers/{id}")).send().await.expect(200);
    assert_eq!(read.header("etag"), "\"2\"");
}

async fn an_etag_that_is_none_is_malformed_or_stale(app: &TestApp) {
    let id = app.demo.add_customer("Ada").await;
    for etag in ["", "1", "*", "W/\"1\"", "\"1\", \"2\"", "\"1", "ü"] {
        change(&app.demo, &id, etag, &customer_named("Bea")).await.problem(400, "request/invalid-etag");
    }
    for etag in ["\"0\"", "\"2\"", "\"01\"", "\"-1\"", "\"abc\"", "\"9999999999999999999999\""] {
        change(&app.demo, &id, etag, &customer_named("Bea")).await.problem(412, "conflict/version");
    }
    assert_eq!(text(&app.demo.read(&format!("/v1/customers/{id}")).await, "name"), "Ada");
}

async fn an_unknown_customer_is_not_found(app: &TestApp) {
    app.demo.get(&format!("/v1/customers/{UNKNOWN}")).send().await.problem(404, "request/not-found");
    change(&app.demo, UNKNOWN, "\"1\"", &customer_named("Ada")).await.problem(404, "request/not-found");
    let id = app.demo.add_customer("Ada").await;
    app.demo.get(&format!("/v1/customers/{}", id.to_uppercase())).send().await.expect(200);
    for no_id in ["1", "abc", "%00", "%20", "..%2f", &id.replace('-', ""), &format!("{id}%20")] {
        let path = format!("/v1/customers/{no_id}");
        app.demo.get(&path).send().await.problem(400, "request/invalid-id");
        change(&app.demo, no_id, "\"1\"", &customer_named("Ada")).await.problem(400, "request/invalid-id");
    }
}
