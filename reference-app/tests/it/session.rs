//! `/v1/session` and `/v1/me`.

use std::time::Duration;

use serde_json::json;

use crate::support::{Case, Client, DEMO, TestApp, cases, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        signing_in_gives_a_token_for_half_a_day,
        the_address_may_be_written_in_capitals,
        a_wrong_password_and_an_unknown_address_get_the_same_answer,
        signing_out_ends_one_session_at_once,
        a_session_ends_by_itself,
        only_a_bearer_token_that_was_given_opens_a_door,
        what_is_no_sign_in_is_refused,
    ]
}

fn credentials(email: &str, password: &str) -> serde_json::Value {
    json!({ "email": email, "password": password })
}

async fn signing_in_gives_a_token_for_half_a_day(app: &TestApp) {
    let answer = app.anybody.post("/v1/session", &credentials(DEMO.0, DEMO.1)).await;
    let session = answer.json(201);
    assert_eq!(answer.header("location"), "/v1/session");
    assert_eq!(text(&session, "expires_at"), app.now().plus(Duration::from_hours(12)).to_string());
    let user = app.anybody.with_token(text(&session, "token"));
    let me = user.read("/v1/me").await;
    assert_eq!(me.as_object().unwrap().len(), 5, "{me}");
    assert_eq!((text(&me, "email"), text(&me, "tenant_name")), (DEMO.0, "Stonework Ltd"));
    assert_eq!(text(&me, "role"), "admin");
    assert_ne!(text(&me, "user_id"), text(&me, "tenant_id"));
}

async fn the_address_may_be_written_in_capitals(app: &TestApp) {
    let answer = app.anybody.post("/v1/session", &credentials(" Demo@EXAMPLE.com ", DEMO.1)).await;
    answer.expect(201);
}

async fn a_wrong_password_and_an_unknown_address_get_the_same_answer(app: &TestApp) {
    let wrong = app.anybody.post("/v1/session", &credentials(DEMO.0, "Demo-password")).await;
    wrong.problem(401, "auth/unauthenticated");
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
    for (email, password) in [("nobody@example.com", DEMO.1), ("", ""), ("%", "' or 1=1 --")] {
        let unknown = app.anybody.post("/v1/session", &credentials(email, password)).await;
        assert_eq!(unknown.visible(), wrong.visible());
    }
}

async fn signing_out_ends_one_session_at_once(app: &TestApp) {
    let other = app.anybody.signed_in(DEMO.0, DEMO.1).await;
    let answer = other.call("DELETE", "/v1/session").send().await.expect(204);
    assert!(answer.body.is_empty());
    other.get("/v1/me").send().await.problem(401, "auth/unauthenticated");
    other.call("DELETE", "/v1/session").send().await.problem(401, "auth/unauthenticated");
    app.demo.read("/v1/me").await;
}

async fn a_session_ends_by_itself(app: &TestApp) {
    app.clock.advance(Duration::from_hours(12) - Duration::from_secs(1));
    app.demo.read("/v1/me").await;
    app.clock.advance(Duration::from_secs(1));
    app.demo.get("/v1/me").send().await.problem(401, "auth/unauthenticated");
}

async fn only_a_bearer_token_that_was_given_opens_a_door(app: &TestApp) {
    let session = app.anybody.post("/v1/session", &credentials(DEMO.0, DEMO.1)).await.json(201);
    let token = text(&session, "token");
    let me = async |value: String| app.anybody.get("/v1/me").header("authorization", value).send().await;
    me(format!("bearer {token}")).await.expect(200);
    let missing = app.anybody.get("/v1/me").send().await;
    missing.problem(401, "auth/unauthenticated");
    let shorter = &token[..token.len() - 1];
    for value in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        token.to_owned(),
        format!("Bearer {shorter}"),
        format!("Bearer {token}0"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", "a".repeat(20_000)),
        "Bearer ü".to_owned(),
    ] {
        assert_eq!(me(value.clone()).await.visible(), missing.visible(), "{value}");
    }
}

async fn what_is_no_sign_in_is_refused(app: &TestApp) {
    let sign_in = async |body: serde_json::Value| app.anybody.post("/v1/session", &body).await;
    let answer = sign_in(json!({})).await;
    answer.problem(422, "request/validation");
    assert_eq!(answer.pointers(), ["/email", "/password"]);
    let mut more = credentials(DEMO.0, DEMO.1);
    more["role"] = json!("owner");
    sign_in(more).await.problem(422, "request/unknown-field");
    sign_in(credentials("a\0b", "x")).await.problem(422, "request/nul-character");
    let not_json: Client = app.anybody.clone();
    let call = not_json.call("POST", "/v1/session").header("content-type", "application/json");
    call.body("email=demo").send().await.problem(400, "request/invalid-json");
}
