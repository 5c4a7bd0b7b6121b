//! Links that open an object to whoever has them.

use std::time::Duration;

use dolmen_ports::{ErrorKind, PutMode};

use super::{H, ObjectsCapabilities, ObjectsSuite, key, put};
use crate::conformance::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: ObjectsSuite, capabilities: ObjectsCapabilities) -> ObjectsSuite {
    let suite = add_cases!(suite,
        "OB-8": a_link_opens_its_object_again_and_again,
        "OB-8": two_links_of_one_object_are_both_open,
        "OB-9": a_validity_that_breaks_the_rule_is_refused,
        "OL-2": a_changed_link_opens_nothing,
        "OL-2": a_link_of_another_object_opens_nothing,
    );
    let suite = suite.needs("virtual_clock", capabilities.virtual_clock);
    let suite = add_cases!(suite,
        "OB-8": a_link_is_open_until_it_expires_and_not_afterwards,
        "OL-2": an_expired_link_and_a_changed_one_are_refused_with_the_same_words,
    );
    suite.needs_nothing()
}

const HOUR: Duration = Duration::from_hours(1);

async fn put_and_link(harness: &H, text: &str, valid_for: Duration) -> Result<String, Failure> {
    put(harness, text, text.as_bytes(), PutMode::Overwrite).await?;
    Ok(harness.store().link(&key(text)?, valid_for).await?)
}

async fn a_link_opens_its_object_again_and_again(harness: H) -> CaseResult {
    for name in ["plain", "reports/2026-10.csv", "odd/A=b+c@d!.e"] {
        let link = put_and_link(&harness, name, HOUR).await?;
        for _ in 0..2 {
            ensure_eq!(harness.open_link(&link).await?, name, "what {link} opens");
        }
    }
    Ok(())
}

async fn two_links_of_one_object_are_both_open(harness: H) -> CaseResult {
    let first = put_and_link(&harness, "a", HOUR).await?;
    let second = put_and_link(&harness, "a", 2 * HOUR).await?;
    ensure_eq!(harness.open_link(&first).await?, "a", "what the first link opens");
    ensure_eq!(harness.open_link(&second).await?, "a", "what the second link opens");
    Ok(())
}

async fn a_validity_that_breaks_the_rule_is_refused(harness: H) -> CaseResult {
    put(&harness, "a", b"a", PutMode::Overwrite).await?;
    for valid_for in [Duration::ZERO, Duration::from_millis(999), 7 * 24 * HOUR + Duration::from_secs(1)] {
        let link = harness.store().link(&key("a")?, valid_for).await;
        ensure_kind!(link, ErrorKind::InvalidInput, "a link for {valid_for:?}");
    }
    Ok(())
}

/// The link with its character at `index` changed to another one of the same class.
fn changed_at(link: &str, index: usize) -> String {
    let change = |(at, c): (usize, char)| match c {
        _ if at != index => c,
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from(c as u8 + 1),
        '9' => '0',
        _ => 'a',
    };
    link.char_indices().map(change).collect()
}

async fn a_changed_link_opens_nothing(harness: H) -> CaseResult {
    let link = put_and_link(&harness, "reports/1.csv", HOUR).await?;
    let query = link.find('?').unwrap_or(0) + 1;
    for index in query..link.len() {
        let changed = changed_at(&link, index);
        if changed != link {
            let opened = harness.open_link(&changed).await;
            ensure!(opened.is_err(), "{changed} opens what {link} opens");
        }
    }
    let (path, signed) = link.split_at(query - 1);
    let upper = format!("{path}{}", signed.to_uppercase());
    for changed in [upper, format!("{link}0"), format!("{link}&x=1"), format!("{path}?"), path.to_owned()] {
        ensure!(harness.open_link(&changed).await.is_err(), "{changed} opens what {link} opens");
    }
    Ok(())
}

async fn a_link_of_another_object_opens_nothing(harness: H) -> CaseResult {
    put(&harness, "reports/2.csv", b"secret", PutMode::Overwrite).await?;
    let link = put_and_link(&harness, "reports/1.csv", HOUR).await?;
    let other = link.replacen("1.csv", "2.csv", 1);
    ensure!(other != link, "the link {link} does not show its key");
    ensure_kind!(harness.open_link(&other).await, ErrorKind::PermissionDenied, "the key of another object");
    Ok(())
}

async fn a_link_is_open_until_it_expires_and_not_afterwards(harness: H) -> CaseResult {
    let link = put_and_link(&harness, "a", HOUR).await?;
    harness.advance(Duration::from_secs(3_598)).await;
    ensure_eq!(harness.open_link(&link).await?, "a", "what the link opens shortly before its end");
    harness.advance(Duration::from_secs(4)).await;
    ensure_kind!(harness.open_link(&link).await, ErrorKind::PermissionDenied, "the link after its end");
    Ok(())
}

async fn an_expired_link_and_a_changed_one_are_refused_with_the_same_words(harness: H) -> CaseResult {
    let link = put_and_link(&harness, "a", HOUR).await?;
    let changed = harness.open_link(&changed_at(&link, link.len() - 1)).await;
    harness.advance(2 * HOUR).await;
    let expired = harness.open_link(&link).await;
    ensure_eq!(
        expired.map_err(|error| error.to_string()),
        changed.map_err(|error| error.to_string()),
        "the words for an expired link, against those for a changed one"
    );
    Ok(())
}
