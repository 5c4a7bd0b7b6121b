//! The document tells the truth: what is in it is served, what is served is in it, and only what it calls public is.

use std::collections::BTreeSet;

use crate::support::{Case, Client, Operation, TestApp, UNKNOWN, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        the_document_lists_the_contract,
        every_operation_but_the_public_ones_needs_a_token,
        the_document_and_the_modules_list_the_same_routes,
        undocumented_methods_are_refused_with_those_that_there_are,
        the_page_for_people_works_offline,
    ]
}

const CONTRACT: [&str; 16] = [
    "DELETE /v1/session",
    "GET /objects/{key}",
    "GET /v1/customers",
    "GET /v1/customers/{id}",
    "GET /v1/invoices",
    "GET /v1/invoices/{id}",
    "GET /v1/me",
    "GET /v1/reports/{id}",
    "POST /v1/customers",
    "POST /v1/invoices",
    "POST /v1/invoices/{id}/cancel",
    "POST /v1/invoices/{id}/issue",
    "POST /v1/invoices/{id}/pay",
    "POST /v1/reports",
    "POST /v1/session",
    "PUT /v1/customers/{id}",
];
const PUBLIC: [&str; 2] = ["GET /objects/{key}", "POST /v1/session"];

fn named(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

async fn the_document_lists_the_contract(app: &TestApp) {
    let answer = app.anybody.get("/openapi.json").send().await;
    let document = answer.json(200);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "dolmen-reference-app");
    let operations: BTreeSet<String> = app.demo.document().operations().iter().map(named).collect();
    assert_eq!(operations, CONTRACT.map(str::to_owned).into());
}

async fn every_operation_but_the_public_ones_needs_a_token(app: &TestApp) {
    let operations = app.demo.document().operations();
    let public: BTreeSet<String> =
        operations.iter().filter(|operation| operation.is_public()).map(named).collect();
    assert_eq!(public, PUBLIC.map(str::to_owned).into());
    let missing = app.anybody.get("/v1/me").send().await;
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let ask =
            async |client: &Client| client.call(&operation.method, &operation.path_of(UNKNOWN)).send().await;
        for client in
            [app.anybody.clone(), app.anybody.with_token("nonsense"), app.anybody.with_token(UNKNOWN)]
        {
            let answer = ask(&client).await;
            answer.problem(401, "auth/unauthenticated");
            assert_eq!(answer.visible(), missing.visible(), "{operation:?}");
        }
        // Signing out would void the token.
        if operation.path != "/v1/session" {
            assert_ne!(ask(&app.demo).await.status, 401, "{operation:?}");
        }
    }
}

async fn the_document_and_the_modules_list_the_same_routes(app: &TestApp) {
    let operations = Client::of(app.management).await;
    let modules = operations.read("/ops/modules").await;
    let routes = modules.as_array().unwrap().iter().flat_map(|module| module["routes"].as_array().unwrap());
    let served: BTreeSet<String> = routes
        .map(|route| format!("{} {}", route["method"].as_str().unwrap(), route["path"].as_str().unwrap()))
        .collect();
    let documented = CONTRACT.iter().filter(|operation| !operation.contains("/objects/"));
    assert_eq!(served, documented.map(|operation| (*operation).to_owned()).collect());
}

async fn undocumented_methods_are_refused_with_those_that_there_are(app: &TestApp) {
    let paths: BTreeSet<String> =
        app.demo.document().operations().into_iter().map(|operation| operation.path).collect();
    for path in paths.into_iter().chain(["/openapi.json".to_owned(), "/docs".to_owned()]) {
        let documented =
            app.demo.document().operations().into_iter().filter(|operation| operation.path == path);
        let mut methods: BTreeSet<String> = documented.map(|operation| operation.method).collect();
        if methods.is_empty() {
            methods.insert("GET".to_owned());
        }
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        let allowed = methods.iter().cloned().collect::<Vec<_>>().join(", ");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            if methods.contains(method) {
                continue;
            }
            // Nobody learns less about methods for want of a token: they stand in the public document.
            for client in [&app.anybody, &app.demo] {
                let answer =
                    client.call(method, &path.replace("{id}", UNKNOWN).replace("{key}", "a")).send().await;
                assert_eq!(
                    (answer.status, answer.header("allow")),
                    (405, allowed.as_str()),
                    "{method} {path}"
                );
                if method != "HEAD" {
                    answer.problem(405, "request/method-not-allowed");
                }
            }
        }
    }
}

async fn the_page_for_people_works_offline(app: &TestApp) {
    let page = app.anybody.get("/docs").send().await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{page:?}");
    let html = page.text().replace("curl(", "");
    for elsewhere in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!html.contains(elsewhere), "the page loads something: {elsewhere}");
    }
    assert!(html.contains("fetch(\"openapi.json\")"));
}
