//! What a client can do wrong: each mistake has a status and a code, and none is ever a failure of ours.

use serde_json::{Value, json};

use crate::support::{Call, Case, Operation, Raw, TestApp, UNKNOWN, cases, customer_named};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        what_is_not_json_is_a_bad_request_everywhere,
        content_that_breaks_the_schema_is_told_completely,
        only_json_in_utf_8_is_taken,
        a_body_has_a_largest_size,
        unknown_paths_are_not_found,
        heads_are_answered_like_gets,
        requests_that_are_no_http_are_refused,
    ]
}

/// A request of an operation with a body that is still missing.
fn call(app: &TestApp, operation: &Operation) -> Call {
    let mut call = app.demo.call(&operation.method, &operation.path_of(UNKNOWN));
    call = call.header("content-type", "application/json");
    for header in operation.required_headers() {
        call = match header.as_str() {
            "If-Match" => call.header("if-match", "\"1\""),
            "Idempotency-Key" => call.header("idempotency-key", "k"),
            other => panic!("this test knows no header {other}"),
        };
    }
    call
}

fn with_body(app: &TestApp) -> Vec<Operation> {
    let operations: Vec<_> =
        app.demo.document().operations().into_iter().filter(Operation::has_body).collect();
    assert_eq!(operations.len(), 5, "{operations:?}");
    operations
}

async fn what_is_not_json_is_a_bad_request_everywhere(app: &TestApp) {
    let deep = "[".repeat(100_000);
    for operation in with_body(app) {
        for (body, code) in [
            (&b""[..], "request/invalid-json"),
            (b"{", "request/invalid-json"),
            (b"{\"name\": \"Ada\"", "request/invalid-json"),
            (b"name=Ada", "request/invalid-json"),
            (b"{'name': 'Ada'}", "request/invalid-json"),
            (b"{} {}", "request/invalid-json"),
            (b"{\"a\": 01}", "request/invalid-json"),
            (b"{\"a\": NaN}", "request/invalid-json"),
            (b"{\"a\": 1e400}", "request/invalid-json"),
            (b"{\"a\": \"\x01\"}", "request/invalid-json"),
            (deep.as_bytes(), "request/invalid-json"),
            (b"{\"a\": 1, \"a\": 1}", "request/duplicate-key"),
            (b"{\"a\": {\"b\": [{\"c\": 1, \"c\": 2}]}}", "request/duplicate-key"),
            (b"\xff\xfe", "request/invalid-encoding"),
            (b"{\"a\": \"\xc3\x28\"}", "request/invalid-encoding"),
            (b"{\"a\": \"\\ud800\"}", "request/invalid-encoding"),
        ] {
            let answer = call(app, &operation).body(body.to_vec()).send().await;
            answer.problem(400, code);
        }
    }
}

async fn content_that_breaks_the_schema_is_told_completely(app: &TestApp) {
    for operation in with_body(app) {
        for body in ["null", "true", "0", "\"{}\"", "[]", "[{}]"] {
            let answer = call(app, &operation).body(body).send().await;
            answer.problem(422, "request/validation");
            assert_eq!(answer.pointers(), [""], "{body}");
        }
        let answer = call(app, &operation).body("{}").send().await;
        let problem = answer.problem(422, "request/validation");
        let pointers = answer.pointers();
        assert!(pointers.len() >= 2, "{problem}");
        // The same with each field as null: every one is told again, as what it is not.
        let nulls: Value = pointers.iter().map(|pointer| (pointer[1..].to_owned(), Value::Null)).collect();
        let mut told = call(app, &operation).json(&nulls).send().await.expect(422).pointers();
        told.sort();
        let mut pointers = pointers;
        pointers.sort();
        assert_eq!(told, pointers);
        let answer = call(app, &operation).body("{\"a/b~c\": 1}").send().await.expect(422);
        assert!(answer.pointers().contains(&"/a~1b~0c".to_owned()), "{answer:?}");
    }
    let many: Value = (0..1_000).map(|index| (format!("field-{index}"), json!(1))).collect();
    let answer = app.demo.post("/v1/customers", &many).await.expect(422);
    assert!(answer.body.len() < 10_000, "a long list of mistakes is cut");
    let near = json!({ "nmae": "Ada", "email": "ada@example.com", "address": "1 Row" });
    let problem = app.demo.post("/v1/customers", &near).await.problem(422, "request/validation");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean /name?"), "{problem}");
}

async fn only_json_in_utf_8_is_taken(app: &TestApp) {
    let body = customer_named("Ada").to_string();
    let post = |content_type: &str| {
        app.demo.call("POST", "/v1/customers").header("content-type", content_type).body(body.clone())
    };
    for operation in with_body(app) {
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "json", "*/*"]
        {
            let call = call(app, &operation).header("content-type", content_type).body(body.clone());
            call.send().await.problem(415, "request/unsupported-media-type");
        }
    }
    let without = app.demo.call("POST", "/v1/customers").body(body.clone()).send().await;
    without.problem(415, "request/unsupported-media-type");
    post("application/json; charset=iso-8859-1").send().await.problem(415, "request/unsupported-media-type");
    let zipped = post("application/json").header("content-encoding", "gzip").send().await;
    zipped.problem(415, "request/unsupported-media-type");
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        post(content_type).send().await.expect(201);
    }
}

async fn a_body_has_a_largest_size(app: &TestApp) {
    let largest = 1_048_576;
    for operation in with_body(app) {
        let answer = call(app, &operation).body(" ".repeat(largest + 1)).send().await;
        answer.problem(413, "request/too-large");
        call(app, &operation).body(" ".repeat(largest)).send().await.problem(400, "request/invalid-json");
    }
    let head = "POST /v1/session HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", largest + 1, " ".repeat(largest + 1));
    let answer = Raw::connect(app.anybody.address()).await.exchange([head, &chunks].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("request/too-large"), "{answer}");
}

async fn unknown_paths_are_not_found(app: &TestApp) {
    let id = app.demo.add_customer("Ada").await;
    let nothing = app.anybody.get("/nothing").send().await;
    nothing.problem(404, "request/not-found");
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/customer",
        "/v1/customers/",
        "/V1/customers",
        "/v1//customers",
        "//v1/customers",
        "/v1/customers%2F",
        "/v1/customers;x=1",
        "/v1/../v1/customers",
        "/v1/%2e%2e/customers",
        "/v1/customers/../invoices",
        "/%76%31/customers",
        "/ops/info",
        "/readyz",
        "/metrics",
        "/.env",
        &format!("/v1/customers/{id}/"),
        &format!("/v1/customers/{id}/issue"),
        &format!("/v1/{}", "x".repeat(10_000)),
    ] {
        for client in [&app.anybody, &app.demo] {
            assert_eq!(client.get(path).send().await.visible(), nothing.visible(), "{path}");
            client.order(path).await.problem(404, "request/not-found");
        }
    }
    app.demo.get("/v1/customers/%ff").send().await.problem(400, "request/invalid-encoding");
    app.demo
        .get(&format!("/v1/customers/{}", "x".repeat(10_000)))
        .send()
        .await
        .problem(400, "request/invalid-id");
}

async fn heads_are_answered_like_gets(app: &TestApp) {
    for path in [
        "/v1/me",
        "/v1/customers",
        "/openapi.json",
        "/docs",
        "/v1/customers/x",
        "/nothing",
        "/v1/customers?limit=0",
    ] {
        let (get, head) = (app.demo.get(path).send().await, app.demo.call("HEAD", path).send().await);
        assert_eq!(
            (head.status, head.header("content-type")),
            (get.status, get.header("content-type")),
            "{path}"
        );
        assert!(head.body.is_empty(), "{head:?}");
    }
}

async fn requests_that_are_no_http_are_refused(app: &TestApp) {
    for (request, status) in [
        ("GET /v1/me\r\n\r\n", "400"),
        ("GET /v1/me HTTP/1.1\r\n\r\n", "400"),
        ("GET /v1/me HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n", "400"),
        ("GET /v1/ me HTTP/1.1\r\nhost: a\r\n\r\n", "400"),
        ("GET /v1/me HTTP/1.1\r\nhost: a\r\n folded: b\r\n\r\n", "400"),
        ("POST /v1/session HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}", "400"),
        ("POST /v1/session HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n{}", "400"),
        ("POST /v1/session HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n{}", "400"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7f\x03\x03", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    ] {
        let answer = Raw::connect(app.anybody.address()).await.exchange(request).await;
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {answer}"
        );
    }
    for request in [
        format!("GET /v1/me HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(70_000)),
        format!("GET /v1/me HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(500)),
        format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000)),
    ] {
        let answer = Raw::connect(app.anybody.address()).await.exchange(request).await;
        let refused =
            ["HTTP/1.1 431 ", "HTTP/1.1 414 ", "HTTP/1.1 400 "].iter().any(|start| answer.starts_with(start));
        assert!(answer.is_empty() || refused, "{answer}");
    }
    app.demo.get("/v1/me").send().await.expect(200);
}
