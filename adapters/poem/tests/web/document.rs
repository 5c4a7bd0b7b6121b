//! The document says what the service does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::TestServer;

async fn document() -> Value {
    let server = TestServer::start().await;
    let answer = server.call("GET", "/openapi.json").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"], json!({ "title": "notes-app", "version": "1.2.3" }));
    let _: utoipa::openapi::OpenApi = serde_json::from_value(document.clone()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Problem") && found.contains("#/components/schemas/Note"));
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let text = document.to_string();
    assert!(!text.contains("nullable") && !text.contains("dolmen-") && !text.contains("json;"), "{text}");
}

#[tokio::test]
async fn what_may_be_null_says_so() {
    let document = document().await;
    let note = &document["components"]["schemas"]["Note"]["properties"];
    assert_eq!(note["read_at"]["type"], json!(["string", "null"]));
    assert_eq!(
        note["colour"],
        json!({ "anyOf": [{ "$ref": "#/components/schemas/Colour" }, { "type": "null" }] })
    );
    assert_eq!(note["text"], json!({ "type": "string" }));
    let page = &document["components"]["schemas"]["PageOf_Note"]["properties"];
    assert_eq!(page["next_cursor"]["type"], json!(["string", "null"]));
}

#[tokio::test]
async fn headers_and_paging_are_documented_by_their_names() {
    let document = document().await;
    let names = |pointer: &str| {
        let parameters = document.pointer(pointer).unwrap()["parameters"].as_array().unwrap();
        parameters.iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("/paths/~1v1~1notes/get"), ["colour", "limit", "cursor"]);
    assert_eq!(names("/paths/~1v1~1notes~1{id}/put"), ["id", "If-Match"]);
    assert_eq!(names("/paths/~1v1~1once/post"), ["Idempotency-Key"]);
    let limit = &document["paths"]["/v1/notes"]["get"]["parameters"][1]["schema"];
    assert_eq!(
        (&limit["minimum"], &limit["maximum"], &limit["default"]),
        (&json!(1), &json!(200), &json!(50))
    );
    let created = &document["paths"]["/v1/notes"]["post"]["responses"]["201"];
    assert_eq!(created["headers"]["Location"]["required"], true);
    assert!(created["headers"]["ETag"].is_object());
}

#[tokio::test]
async fn problems_and_security_are_documented_for_every_operation() {
    let document = document().await;
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        responses.keys().cloned().collect::<BTreeSet<_>>()
    };
    let has = |path: &str, method: &str, expected: &[&str]| {
        let statuses = statuses(path, method);
        expected.iter().all(|status| statuses.contains(*status))
    };
    assert!(has(
        "/v1/notes",
        "post",
        &["201", "400", "401", "409", "413", "415", "422", "429", "500", "503", "default"]
    ));
    assert!(has("/v1/notes/{id}", "put", &["200", "400", "404", "412", "428"]));
    assert!(has("/v1/notes/{id}", "get", &["200", "400", "401", "404"]));
    assert!(
        !statuses("/v1/hello", "get").contains("401") && !statuses("/v1/notes/{id}", "get").contains("412")
    );
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let public = path == "/v1/hello" || path == "/v1/echo";
            let expected = if public { json!([]) } else { json!([{ "bearer": [] }]) };
            assert_eq!(operation["security"], expected, "{path}");
            assert_eq!(operation["tags"], json!(["notes"]));
            assert!(operation["responses"]["default"]["$ref"].is_string());
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"],
        json!({ "bearer": { "type": "http", "scheme": "bearer" } })
    );
    let problem = &document["components"]["schemas"]["Problem"];
    assert_eq!(problem["required"], json!(["type", "title", "status", "detail", "code"]));
}

#[tokio::test]
async fn the_page_for_people_needs_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let answer = server.call("GET", "/docs").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    for foreign in ["http://", "https://", "src=", "@import", ": url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("fetch(\"openapi.json\")"));
}
