//! Listing objects.

use dolmen_ports::{ErrorKind, ListRequest, PutMode};

use super::{H, ObjectsSuite, put};
use crate::conformance::failure::{CaseResult, Failure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: ObjectsSuite) -> ObjectsSuite {
    add_cases!(suite,
        "OB-5": a_list_is_in_byte_order_of_the_keys,
        "OB-5": pages_of_any_size_add_up_to_the_same_keys,
        "OB-5": a_prefix_is_a_text_not_a_folder,
        "OB-5": a_prefix_that_no_key_can_have_lists_nothing,
        "OB-9": a_limit_that_breaks_the_rule_is_refused,
    )
}

/// In byte order: a folder walked name by name would give another one (`-` and `.` sort before `/`).
const KEYS: [&str; 9] = ["A", "a", "a!", "a-b", "a.b", "a/b", "a/b/c", "a0", "b"];

async fn put_all(harness: &H) -> CaseResult {
    for key in KEYS.iter().rev() {
        put(harness, key, key.as_bytes(), PutMode::Overwrite).await?;
    }
    Ok(())
}

async fn keys(harness: &H, request: &ListRequest) -> Result<Vec<String>, Failure> {
    let listed = harness.store().list(request).await?;
    Ok(listed.into_iter().map(|meta| meta.key.as_str().to_owned()).collect())
}

async fn a_list_is_in_byte_order_of_the_keys(harness: H) -> CaseResult {
    ensure_eq!(keys(&harness, &ListRequest::new("", 1_000)).await?, [""; 0], "keys of an empty store");
    put_all(&harness).await?;
    ensure_eq!(keys(&harness, &ListRequest::new("", 1_000)).await?, KEYS, "all keys");
    Ok(())
}

async fn pages_of_any_size_add_up_to_the_same_keys(harness: H) -> CaseResult {
    put_all(&harness).await?;
    for limit in 1..=10 {
        let (mut request, mut all) = (ListRequest::new("", limit), Vec::new());
        loop {
            let page = harness.store().list(&request).await?;
            all.extend(page.iter().map(|meta| meta.key.as_str().to_owned()));
            let is_full = page.len() == limit as usize;
            request.after = page.last().map(|meta| meta.key.clone());
            if !is_full || all.len() > KEYS.len() {
                break;
            }
        }
        ensure_eq!(all, KEYS, "the keys of all pages of {limit}");
    }
    Ok(())
}

async fn a_prefix_is_a_text_not_a_folder(harness: H) -> CaseResult {
    put_all(&harness).await?;
    let all = ["a", "a!", "a-b", "a.b", "a/b", "a/b/c", "a0"];
    ensure_eq!(keys(&harness, &ListRequest::new("a", 1_000)).await?, all, "keys under a");
    ensure_eq!(keys(&harness, &ListRequest::new("a/", 1_000)).await?, ["a/b", "a/b/c"], "keys under a/");
    ensure_eq!(keys(&harness, &ListRequest::new("a/b", 1_000)).await?, ["a/b", "a/b/c"], "keys under a/b");
    Ok(())
}

async fn a_prefix_that_no_key_can_have_lists_nothing(harness: H) -> CaseResult {
    put_all(&harness).await?;
    for prefix in ["../", "/", "//", "a/../b", "%", "_", "*", "a\0", "c"] {
        ensure_eq!(keys(&harness, &ListRequest::new(prefix, 10)).await?, [""; 0], "keys under {prefix:?}");
    }
    Ok(())
}

async fn a_limit_that_breaks_the_rule_is_refused(harness: H) -> CaseResult {
    for limit in [0, 1_001] {
        let listed = harness.store().list(&ListRequest::new("", limit)).await;
        ensure_kind!(listed, ErrorKind::InvalidInput, "the limit {limit}");
    }
    Ok(())
}
