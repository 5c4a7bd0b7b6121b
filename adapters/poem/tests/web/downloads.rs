//! Downloads by signed links.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{Bytes, ObjectKey, ObjectStore, PutOptions};
use dolmen_poem::object_downloads;
use dolmen_testkit::fakes::MemoryObjectStore;

use crate::support::TestServer;

async fn server(store: &MemoryObjectStore) -> TestServer {
    let routes = object_downloads(Arc::new(store.clone()), Arc::new(store.clone()));
    TestServer::with(|_| {}, |role| role.with_routes(routes)).await
}

async fn stored(store: &MemoryObjectStore, key: &str) -> (ObjectKey, String) {
    let key = ObjectKey::parse(key).unwrap();
    store.put(&key, Bytes::from_static(b"month,total\n"), PutOptions::new("text/csv")).await.unwrap();
    let link = store.link(&key, Duration::from_mins(5)).await.unwrap();
    (key, link)
}

#[tokio::test]
async fn a_signed_link_gives_the_bytes_as_a_file() {
    let store = MemoryObjectStore::new();
    let server = server(&store).await;
    let (_, link) = stored(&store, "reports/tenant=1/2026-10.csv").await;
    let answer = server.call("GET", &link).send().await;
    assert_eq!((answer.status, &*answer.body), (200, &b"month,total\n"[..]));
    assert_eq!(answer.header("content-type"), "text/csv");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"2026-10.csv\"");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn wrong_changed_and_expired_links_are_refused_alike() {
    let store = MemoryObjectStore::new();
    let server = server(&store).await;
    let (_, link) = stored(&store, "reports/1.csv").await;
    let (path, query) = link.split_once('?').unwrap();
    let before = [
        path.to_owned(),
        format!("{path}?{query}0"),
        format!("/objects/reports/2.csv?{query}"),
        format!("/objects/reports/..%2f1.csv?{query}"),
    ];
    let mut bodies = Vec::new();
    for wrong in before {
        let answer = server.call("GET", &wrong).send().await;
        assert_eq!(answer.problem(), (403, "objects/invalid-link".to_owned()), "{wrong}");
        bodies.push(answer.body);
    }
    store.clock().advance(Duration::from_mins(6));
    let expired = server.call("GET", &link).send().await;
    assert_eq!(expired.status, 403);
    bodies.push(expired.body);
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_link_to_an_object_that_is_gone_is_404() {
    let store = MemoryObjectStore::new();
    let server = server(&store).await;
    let (key, link) = stored(&store, "reports/1.csv").await;
    store.delete(&key).await.unwrap();
    assert_eq!(server.call("GET", &link).send().await.problem(), (404, "request/not-found".to_owned()));
}

#[tokio::test]
async fn downloads_are_documented() {
    let store = MemoryObjectStore::new();
    let server = server(&store).await;
    let document = server.call("GET", "/openapi.json").send().await.json();
    let operation = &document["paths"]["/objects/{key}"]["get"];
    assert_eq!(operation["security"], serde_json::json!([]));
    assert!(operation["responses"]["403"].is_object());
}
