//! Links: what opens an object, and what does not.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dolmen_directory::LinkSigner;
use dolmen_ports::{Clock, ErrorKind, LinkVerifier, ObjectKey, Secret, Timestamp};

#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::Relaxed))
    }
}

fn signer(secret: u8, clock: &Arc<Hand>) -> LinkSigner {
    LinkSigner::new(Secret::new(vec![secret; 32]), "/objects/", clock.clone()).unwrap()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

fn query(links: &LinkSigner, of: &str, seconds: u64) -> String {
    let link = links.link(&key(of), Duration::from_secs(seconds)).unwrap();
    let (path, query) = link.split_once('?').unwrap();
    assert_eq!(path, format!("/objects/{of}"));
    query.to_owned()
}

#[test]
fn a_link_opens_its_object_until_it_expires() {
    let clock = Arc::new(Hand::default());
    let links = signer(7, &clock);
    for start in [0, 1, 999_999, 1_790_000_000_500_000] {
        clock.0.store(start, Ordering::Relaxed);
        let query = query(&links, "reports/a.csv", 60);
        clock.0.store(start + 59_999_999, Ordering::Relaxed);
        assert!(links.verify(&key("reports/a.csv"), &query).is_ok(), "before the end");
        clock.0.store(start + 61_000_000, Ordering::Relaxed);
        assert!(links.verify(&key("reports/a.csv"), &query).is_err(), "after the end");
    }
}

#[test]
fn every_refusal_has_the_same_words() {
    let clock = Arc::new(Hand::default());
    clock.0.store(1_000_000_000_000_000, Ordering::Relaxed);
    let links = signer(7, &clock);
    let good = query(&links, "a", 60);
    assert!(links.verify(&key("a"), &good).is_ok());
    let old = {
        let earlier = Arc::new(Hand(AtomicI64::new(999_999_000_000_000)));
        query(&signer(7, &earlier), "a", 60)
    };
    let (expires, signature) = good.split_once("&signature=").unwrap();
    let mut refused = vec![
        query(&signer(8, &clock), "a", 60),
        query(&links, "b", 60),
        old,
        format!("expires=2000000000&signature={signature}"),
        format!("{expires}&signature={}", signature.to_uppercase()),
        format!("signature={signature}&{expires}"),
        format!("{good}&x=1"),
        format!("expires=+1000000060&signature={signature}"),
        format!("expires=01000000060&signature={signature}"),
        format!("{expires}&signature="),
        expires.to_owned(),
        String::new(),
        "expires=99999999999999999999&signature=00".to_owned(),
    ];
    for position in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
        refused.push(String::from_utf8(changed).unwrap());
    }
    let words: Vec<String> = refused
        .iter()
        .map(|query| {
            let error = links.verify(&key("a"), query).expect_err(query);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            error.to_string()
        })
        .collect();
    assert!(words.iter().all(|word| *word == words[0]));
}

#[test]
fn a_weak_key_or_a_strange_base_is_refused() {
    let clock = Arc::new(Hand::default());
    let refused = |key: Vec<u8>, base: &str| {
        LinkSigner::new(Secret::new(key), base, clock.clone()).unwrap_err().kind() == ErrorKind::InvalidInput
    };
    assert!(refused(vec![7; 31], "/objects/"));
    for base in ["objects/", "", "/objects?x=", "/objects/#", "/a b", "javascript:alert(1)"] {
        assert!(refused(vec![7; 32], base), "{base}");
    }
    let links =
        LinkSigner::new(Secret::new(vec![7; 32]), "https://example.com/files", clock.clone()).unwrap();
    let link = links.link(&key("a/b"), Duration::from_secs(1)).unwrap();
    assert!(link.starts_with("https://example.com/files/a/b?expires=1&signature="), "{link}");
    assert!(!format!("{links:?}").contains("[7, 7"));
}

#[test]
fn a_validity_out_of_range_is_refused() {
    let links = signer(7, &Arc::new(Hand::default()));
    for validity in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(7 * 86_400 + 1)] {
        assert_eq!(links.link(&key("a"), validity).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
