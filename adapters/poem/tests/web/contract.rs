//! What clients can rely on: statuses, codes, headers.

use dolmen::{Metric, MetricKind};
use serde_json::json;

use crate::support::TestServer;

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_route_of_an_api_needs_a_principal_even_when_its_handler_takes_none() {
    let server = TestServer::start().await;
    for (method, path) in
        [("GET", "/v1/notes"), ("GET", "/v1/notes/nonsense"), ("POST", "/v1/slow"), ("PUT", "/v1/notes/1")]
    {
        for authorization in ["", "Bearer wrong", "Bearer ", "Basic dG9rZW4=", "token-of-ada"] {
            let answer = server.call(method, path).header("authorization", authorization).send().await;
            assert_eq!(answer.problem(), (401, "auth/unauthenticated".to_owned()), "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(server.call("GET", "/v1/hello").send().await.status, 200);
    assert_eq!(server.ask("GET", "/v1/notes").send().await.status, 200);
}

#[tokio::test]
async fn a_failing_authenticator_is_not_a_wrong_token() {
    let server = TestServer::start().await;
    server.authenticator.fail_next(1);
    let answer = server.ask("GET", "/v1/notes").send().await;
    assert_eq!(answer.problem(), (503, "server/unavailable".to_owned()));
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let server = TestServer::start().await;
    assert_eq!(
        server.call("GET", "/v1/nothing").send().await.problem(),
        (404, "request/not-found".to_owned())
    );
    let answer = server.ask("GET", "/v1/notes/%ff").send().await;
    assert_eq!(answer.problem(), (400, "request/invalid-encoding".to_owned()));
    let answer = server.ask("DELETE", "/v1/notes").send().await;
    assert_eq!(answer.problem(), (405, "request/method-not-allowed".to_owned()));
    assert_eq!(answer.header("allow"), "GET, HEAD, POST");
    assert_eq!(server.call("TRACE", "/v1/slow").send().await.header("allow"), "POST");
    let answer = server.call("HEAD", "/v1/hello").send().await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn what_is_not_json_is_400_and_what_breaks_the_schema_is_422() {
    let server = TestServer::start().await;
    for (body, status, code) in [
        ("{\"text\": ", 400, "request/invalid-json"),
        ("", 400, "request/invalid-json"),
        ("{\"text\": \"a\", \"text\": \"b\"}", 400, "request/duplicate-key"),
        ("{\"text\": 5}", 422, "request/validation"),
        ("{}", 422, "request/validation"),
        ("[]", 422, "request/validation"),
        ("{\"text\": \"a\", \"colour\": \"green\"}", 422, "request/validation"),
        ("{\"text\": \"a\", \"id\": 1}", 422, "request/unknown-field"),
        ("{\"text\": \"a\\u0000\"}", 422, "request/nul-character"),
    ] {
        let answer = server.ask("POST", "/v1/notes").json(body).send().await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
    }
    let answer = server.ask("POST", "/v1/notes").json("{\"colour\": 1, \"txt\": \"\"}").send().await;
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "request/validation",
            "detail": "/text is required; /colour must be one of \"red\", \"blue\"; /txt is not a known field (did you mean /text?)",
            "errors": [
                { "pointer": "/text", "message": "is required" },
                { "pointer": "/colour", "message": "must be one of \"red\", \"blue\"" },
                { "pointer": "/txt", "message": "is not a known field (did you mean /text?)" },
            ]
        })
    );
    let answer =
        server.ask("POST", "/v1/notes").header("content-type", "text/plain").body(b"{}").send().await;
    assert_eq!(answer.problem(), (415, "request/unsupported-media-type".to_owned()));
    assert_eq!(server.ask("POST", "/v1/notes").body(b"{}").send().await.status, 415);
}

#[tokio::test]
async fn a_note_is_made_with_location_and_version() {
    let server = TestServer::start().await;
    let answer = server.ask("POST", "/v1/notes").json("{\"text\": \"hello\", \"colour\": null}").send().await;
    assert_eq!(answer.status, 201);
    let note = answer.json();
    assert_eq!((note["text"].as_str(), note["read_at"].is_null()), (Some("hello"), true));
    assert_eq!(answer.header("location"), format!("/v1/notes/{}", note["id"].as_str().unwrap()));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn ids_versions_keys_and_pages_keep_the_contract() {
    let server = TestServer::start().await;
    let change = |tag: &'static str| {
        let call = server.ask("PUT", &format!("/v1/notes/{ID}")).json("{\"text\": \"b\"}");
        if tag.is_empty() { call } else { call.header("if-match", tag) }
    };
    for (tag, status) in [("", 428), ("3", 400), ("\"2\"", 412), ("\"3\"", 200)] {
        assert_eq!(change(tag).send().await.status, status, "{tag}");
    }
    assert_eq!(change("\"3\"").send().await.header("etag"), "\"4\"");
    assert_eq!(
        server.ask("GET", "/v1/notes/12").send().await.problem(),
        (400, "request/invalid-id".to_owned())
    );
    assert_eq!(server.ask("GET", &format!("/v1/notes/{ID}")).send().await.status, 404);
    assert_eq!(
        server.ask("POST", "/v1/once").send().await.problem(),
        (400, "idempotency/missing".to_owned())
    );
    let answer = server.ask("POST", "/v1/once").header("idempotency-key", "a key").send().await;
    assert_eq!((answer.status, answer.header("location")), (202, "/v1/notes"));
    assert_eq!(
        server.ask("GET", "/v1/notes?limit=201").send().await.problem(),
        (422, "request/validation".to_owned())
    );
    assert_eq!(
        server.ask("GET", "/v1/notes?cursor=abc").send().await.problem(),
        (400, "request/invalid-cursor".to_owned())
    );
    assert_eq!(server.ask("GET", "/v1/notes?colour=green").send().await.status, 422);
    let page = server.ask("GET", "/v1/notes?limit=3&colour=red").send().await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["items"][0]["colour"]), (3, &json!("red")));
    let next = format!("/v1/notes?cursor={}", page["next_cursor"].as_str().unwrap());
    let page = server.ask("GET", &next).send().await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), page["next_cursor"].is_null()), (2, true));
}

#[tokio::test]
async fn failures_tell_an_id_and_nothing_else() {
    let server = TestServer::start().await;
    let answer = server.ask("POST", "/v1/failure").send().await;
    assert_eq!(answer.problem(), (500, "server/internal".to_owned()));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!text.contains("secret") && !text.contains("database"), "{text}");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    static REQUESTS: Metric = Metric {
        name: "dolmen_http_requests",
        help: "",
        unit: "",
        labels: &["", "", ""],
        kind: MetricKind::Counter,
    };
    let server = TestServer::start().await;
    for path in [
        format!("/v1/notes/{ID}"),
        "/v1/notes/12".to_owned(),
        "/v1/a".to_owned(),
        "/v1/b?secret=1".to_owned(),
    ] {
        server.ask("GET", &path).send().await;
    }
    server.ask("GET", "/v1/notes").send().await;
    let count = |route, status| server.metrics.counter(&REQUESTS, &[route, "GET", status]);
    assert_eq!(count("/v1/notes/{id}", "4xx"), 2);
    assert_eq!(count("unmatched", "4xx"), 2);
    assert_eq!(count("/v1/notes", "2xx"), 1);
    assert_eq!(server.metrics.dropped(), 0);
}
