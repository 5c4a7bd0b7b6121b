//! What a directory adds to the promises of an object store: files and threads, symbolic links, cancelled writes, damage.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dolmen_directory::{DirectoryObjectStore, LinkSigner};
use dolmen_ports::{
    Bytes, Clock, ErrorKind, ListRequest, ObjectKey, ObjectStore, PutMode, PutOptions, Secret, SystemClock,
};
use futures_util::poll;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn open(root: &Path) -> DirectoryObjectStore {
    let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", clock()).unwrap();
    DirectoryObjectStore::open(root, links).await.unwrap()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

fn text() -> PutOptions {
    PutOptions::new("text/plain")
}

fn create() -> PutOptions {
    text().with_mode(PutMode::Create)
}

/// Every file below a directory, but the empty lock files.
fn files_below(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(files_below(&entry.path()));
        } else if entry.metadata().unwrap().len() > 0 {
            names.push(entry.path().display().to_string());
        }
    }
    names
}

#[tokio::test]
async fn an_object_may_lie_next_to_objects_below_its_name() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path()).await;
    let long = format!("{}/{}", "x".repeat(200), "Y".repeat(300));
    let keys = ["a/b/c", "a", "a/b", "A", "a-", "a.", ".tmp", ".tmp/a", &long, &long[..200], &long[..350]];
    for text_of_key in keys {
        store.put(&key(text_of_key), Bytes::from(text_of_key.to_owned()), text()).await.unwrap();
    }
    for text_of_key in keys {
        assert_eq!(store.get(&key(text_of_key)).await.unwrap().bytes, text_of_key.as_bytes());
    }

    let sorted: Vec<&str> = BTreeSet::from(keys).into_iter().collect();
    for limit in [1, 2, 3, 100] {
        let mut request = ListRequest::new("", limit);
        let mut listed = Vec::new();
        loop {
            let page = store.list(&request).await.unwrap();
            listed.extend(page.iter().map(|meta| meta.key.to_string()));
            let Some(last) = page.last() else { break };
            request.after = Some(last.key.clone());
        }
        assert_eq!(listed, sorted, "in pages of {limit}");
    }
    let below: Vec<_> = store.list(&ListRequest::new("a/b", 9)).await.unwrap();
    assert_eq!(below.iter().map(|meta| meta.key.as_str()).collect::<Vec<_>>(), ["a/b", "a/b/c"]);

    store.delete(&key("a")).await.unwrap();
    assert!(store.get(&key("a/b")).await.is_ok());
    assert_eq!(store.get(&key("a")).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_threads_that_create_one_key_exactly_one_wins() {
    let root = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let key = key(&format!("round/{round}"));
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let (store, key) = (open(root.path()).await, key.clone());
            writers.spawn(async move {
                let result = store.put(&key, Bytes::from(format!("writer {writer}")), create()).await;
                (writer, result.map_err(|error| error.kind()))
            });
        }
        let results = writers.join_all().await;
        let winners: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        assert!(results.iter().all(|(_, result)| result.is_ok() || *result == Err(ErrorKind::AlreadyExists)));
        let bytes = open(root.path()).await.get(&key).await.unwrap().bytes;
        assert_eq!(bytes, format!("writer {}", winners[0].0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_threads_that_replace_one_version_exactly_one_wins() {
    let root = tempfile::tempdir().unwrap();
    let (store, key) = (open(root.path()).await, key("counter"));
    let mut version = store.put(&key, Bytes::from_static(b"0"), text()).await.unwrap();
    for round in 1..=20 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let (store, key) = (open(root.path()).await, key.clone());
            let replace = text().with_mode(PutMode::Replace(version.clone()));
            writers.spawn(async move {
                store.put(&key, Bytes::from(format!("{round} by {writer}")), replace).await
            });
        }
        let (won, lost): (Vec<_>, Vec<_>) = writers.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.into_iter().all(|result| result.unwrap_err().kind() == ErrorKind::Conflict));
        version = won.into_iter().next().unwrap().unwrap();
        assert_eq!(store.head(&key).await.unwrap().version, version);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn symbolic_links_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let elsewhere = open(outside.path()).await;
    elsewhere.put(&key("secret"), Bytes::from_static(b"secret"), text()).await.unwrap();
    let store = open(root.path()).await;
    std::os::unix::fs::symlink(outside.path(), root.path().join("door~")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("file")).unwrap();

    for inside in ["door/secret", "file"] {
        let inside = key(inside);
        assert_eq!(store.get(&inside).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(store.head(&inside).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    let through = key("door/secret");
    for operation in [
        store.put(&through, Bytes::new(), text()).await.map(|_| ()),
        store.put(&key("door/deeper/new"), Bytes::new(), text()).await.map(|_| ()),
        store.delete(&through).await,
    ] {
        assert_eq!(operation.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    assert!(store.list(&ListRequest::new("", 10)).await.unwrap().is_empty());

    store.put(&key("file"), Bytes::from_static(b"mine"), text()).await.unwrap();
    store.delete(&key("file")).await.unwrap();
    assert_eq!(elsewhere.get(&key("secret")).await.unwrap().bytes, "secret");
    assert_eq!(elsewhere.list(&ListRequest::new("", 10)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_put_that_is_dropped_leaves_nothing_or_the_whole_object() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path()).await;
    let bytes = Bytes::from(vec![b'x'; 1_000_000]);
    let mut dropped = 0;
    for round in 0..30 {
        let key = key(&format!("dropped/{round}"));
        let mut put = Box::pin(store.put(&key, bytes.clone(), text()));
        let mut ended = false;
        for _ in 0..=round {
            ended = ended || poll!(&mut put).is_ready();
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        dropped += usize::from(!ended);
        drop(put);
        match store.get(&key).await {
            Ok(object) => assert_eq!(object.bytes, bytes),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        }
    }
    assert!(dropped > 0, "no put was dropped on its way");
}

#[tokio::test]
async fn a_put_that_fails_leaves_no_file() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path()).await;
    let bytes = Bytes::from_static(b"one");
    let version = store.put(&key("a"), bytes.clone(), text()).await.unwrap();
    let before = files_below(root.path());
    let gone = text().with_mode(PutMode::Replace(version));
    for (name, options, kind) in [
        ("a", create(), ErrorKind::AlreadyExists),
        ("b", gone, ErrorKind::Conflict),
        ("b", PutOptions::new("text/plain\r\nSet-Cookie: a=b"), ErrorKind::InvalidInput),
    ] {
        let error = store.put(&key(name), bytes.clone(), options).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(files_below(root.path()), before);
}

#[tokio::test]
async fn a_reader_sees_one_write_or_the_other() {
    let root = tempfile::tempdir().unwrap();
    let (store, key) = (open(root.path()).await, key("changing"));
    let contents = |n: usize| Bytes::from(vec![b'a' + u8::try_from(n % 26).unwrap(); 10_000 + n]);
    let options = |n: usize| PutOptions::new(format!("text/x-{}", 10_000 + n));
    store.put(&key, contents(0), options(0)).await.unwrap();
    let writer = async {
        for n in 1..60 {
            store.put(&key, contents(n), options(n)).await.unwrap();
        }
    };
    let reader = async {
        loop {
            let object = store.get(&key).await.unwrap();
            assert_eq!(object.meta.content_type, format!("text/x-{}", object.bytes.len()));
            assert!(object.bytes.windows(2).all(|pair| pair[0] == pair[1]));
        }
    };
    tokio::select! {
        () = writer => {}
        () = reader => {}
    }
}

#[tokio::test]
async fn a_damaged_file_is_told_from_a_missing_one() {
    let root = tempfile::tempdir().unwrap();
    let (store, key) = (open(root.path()).await, key("a.txt"));
    store.put(&key, Bytes::from_static(b"hello"), text()).await.unwrap();
    let file = root.path().join("a.txt");
    let mut bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"hello\n"), "the file begins with the object's bytes");
    bytes[0] = b'j';
    fs::write(&file, bytes).unwrap();
    let error = store.get(&key).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Internal, false));
    assert!(error.to_string().contains("a.txt is damaged"), "{error}");
}

#[tokio::test]
async fn a_store_reads_what_an_earlier_one_wrote() {
    let root = tempfile::tempdir().unwrap();
    let written = open(root.path()).await.put(&key("a/b"), Bytes::from_static(b"1"), text()).await.unwrap();
    let meta = open(root.path()).await.head(&key("a/b")).await.unwrap();
    assert_eq!((meta.version, meta.size, meta.content_type.as_str()), (written, 1, "text/plain"));
    assert!(clock().now().since(meta.modified_at) < Duration::from_mins(10));
}
