//! The suite of the mailer: rules `ML-1` to `ML-3`.
//!
//! # Examples
//! How a team runs it for its own adapter, here one that talks to a mail catcher:
//! ```no_run
//! use std::{process::ExitCode, sync::{Arc, Mutex}};
//! use dolmen_ports::{BoxError, Mailer};
//! use dolmen_testkit::conformance::{self, Harness, mail::{MailHarness, SentMail}};
//! struct Catcher { mailer: Arc<dyn Mailer>, caught: Arc<Mutex<Vec<SentMail>>> }
//! impl Harness for Catcher {}
//! #[async_trait::async_trait]
//! impl MailHarness for Catcher {
//!     fn mailer(&self) -> Arc<dyn Mailer> { Arc::clone(&self.mailer) }
//!     async fn sent(&self) -> Result<Vec<SentMail>, BoxError> { Ok(self.caught.lock().unwrap().clone()) }
//! }
//! async fn fresh() -> Result<Catcher, BoxError> { Err("here a catcher starts on a free port".into()) }
//! fn main() -> ExitCode { conformance::run(conformance::mail::cases("smtp", fresh)) }
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Email, ErrorKind, MailAddress, Mailer};
use tokio::task::JoinSet;

use super::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use super::harness::Harness;
use super::suite::{Suite, add_cases, cases_of};

/// A mail as its reader's program shows it: headers decoded, lines ended by `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a harness builds every field")]
pub struct SentMail {
    /// The header `Message-ID`, as it stands.
    pub message_id: String,
    /// The sender's address.
    pub from: String,
    /// The receiver's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Gives the mail suite a mailer, and reads back what it sent.
#[async_trait]
pub trait MailHarness: Harness {
    /// The mailer.
    fn mailer(&self) -> Arc<dyn Mailer>;

    /// Every mail that arrived so far, in any order.
    async fn sent(&self) -> Result<Vec<SentMail>, BoxError>;
}

cases_of!(dyn MailHarness, suite());

pub(super) fn suite() -> Suite<dyn MailHarness> {
    add_cases!(Suite::new("mail"),
        "ML-1": a_mail_arrives_as_it_was_sent,
        "ML-1": letters_of_all_scripts_arrive,
        "ML-1": lines_that_mean_something_to_a_protocol_arrive,
        "ML-1": long_lines_and_long_texts_arrive,
        "ML-1": concurrent_mails_all_arrive,
        "ML-2": a_subject_with_a_control_character_sends_nothing,
        "ML-2": a_key_that_breaks_the_rule_sends_nothing,
        "ML-2": subjects_and_keys_at_their_limits_are_sent,
        "ML-3": the_same_key_gives_the_same_message_id,
        "ML-3": different_keys_give_different_message_ids,
    )
}

type H = Arc<dyn MailHarness>;

fn address(text: &str) -> Result<MailAddress, Failure> {
    Ok(MailAddress::parse(text)?)
}

fn email(subject: &str, text: &str, key: &str) -> Result<Email, Failure> {
    Ok(Email::new(address("billing@example.com")?, address("ada@example.com")?, subject, text, key))
}

async fn sent(harness: &H) -> Result<Vec<SentMail>, Failure> {
    harness.sent().await.map_err(|error| Failure::new(format!("what was sent cannot be read: {error}")))
}

async fn only_sent(harness: &H) -> Result<SentMail, Failure> {
    let mut mails = sent(harness).await?;
    match (mails.pop(), mails.len()) {
        (Some(mail), 0) => Ok(mail),
        (_, more) => Err(Failure::new(format!("expected one mail, found {more} more"))),
    }
}

async fn ensure_round_trip(harness: &H, email: &Email) -> CaseResult {
    harness.mailer().send(email).await?;
    let mail = only_sent(harness).await?;
    ensure_eq!(mail.from, email.from.as_str(), "the sender");
    ensure_eq!(mail.to, email.to.as_str(), "the receiver");
    ensure_eq!(mail.subject, email.subject, "the subject");
    ensure_eq!(mail.text, email.text, "the text");
    ensure!(!mail.message_id.is_empty(), "the mail has no Message-ID");
    Ok(())
}

async fn a_mail_arrives_as_it_was_sent(harness: H) -> CaseResult {
    ensure_round_trip(&harness, &email("Invoice 7", "Dear Ada,\n\nhere it is.\n", "invoice-7")?).await
}

async fn letters_of_all_scripts_arrive(harness: H) -> CaseResult {
    let subject =
        "Rechnung für Zoë: 12 € — 請求書 🪨, long enough that a header has to be folded more than once";
    ensure_round_trip(&harness, &email(subject, "Grüße aus Łódź 🪨\n請求書\n", "invoice-8-ü")?).await
}

async fn lines_that_mean_something_to_a_protocol_arrive(harness: H) -> CaseResult {
    let text = ".\n..two dots\nFrom here on\n=20 is no space\n\n \ttrailing \nSubject: not a header\n--\n";
    ensure_round_trip(&harness, &email("=?not?encoded?=", text, "odd")?).await
}

async fn long_lines_and_long_texts_arrive(harness: H) -> CaseResult {
    let text = format!("{}\n{}", "x".repeat(5_000), "a line of text\n".repeat(5_000));
    ensure_round_trip(&harness, &email("Long", &text, "long")?).await
}

async fn concurrent_mails_all_arrive(harness: H) -> CaseResult {
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let (mailer, email) =
            (harness.mailer(), email(&format!("Mail {number}"), "Text\n", &format!("key-{number}"))?);
        tasks.spawn(async move { mailer.send(&email).await });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    let mut subjects: Vec<String> = sent(&harness).await?.into_iter().map(|mail| mail.subject).collect();
    let mut expected: Vec<String> = (0..20).map(|number| format!("Mail {number}")).collect();
    subjects.sort();
    expected.sort();
    ensure_eq!(subjects, expected, "the subjects of all mails");
    Ok(())
}

async fn ensure_refused(harness: &H, email: &Email) -> CaseResult {
    let result = harness.mailer().send(email).await;
    ensure_kind!(result, ErrorKind::InvalidInput, "subject {:?}, key {:?}", email.subject, email.key);
    ensure_eq!(sent(harness).await?, [], "mails after the refusal");
    Ok(())
}

async fn a_subject_with_a_control_character_sends_nothing(harness: H) -> CaseResult {
    for subject in ["Hello\r\nBcc: eve@example.com", "Hello\nX: y", "a\0b", "a\u{7f}b", "a\u{85}b", ""] {
        ensure_refused(&harness, &email(subject, "Text\n", "key")?).await?;
    }
    Ok(())
}

async fn a_key_that_breaks_the_rule_sends_nothing(harness: H) -> CaseResult {
    for key in ["", "a\r\nb", "a\tb", &"k".repeat(201)] {
        ensure_refused(&harness, &email("Hello", "Text\n", key)?).await?;
    }
    Ok(())
}

async fn subjects_and_keys_at_their_limits_are_sent(harness: H) -> CaseResult {
    ensure_round_trip(&harness, &email(&"ü".repeat(200), "", &"🪨".repeat(200))?).await
}

async fn the_same_key_gives_the_same_message_id(harness: H) -> CaseResult {
    let mailer = harness.mailer();
    mailer.send(&email("First try", "Text\n", "invoice-7")?).await?;
    let first = only_sent(&harness).await?.message_id;
    mailer.send(&email("Second try", "Text\n", "invoice-7")?).await?;
    for mail in sent(&harness).await? {
        ensure_eq!(mail.message_id, first, "the Message-ID of {:?}", mail.subject);
    }
    Ok(())
}

async fn different_keys_give_different_message_ids(harness: H) -> CaseResult {
    // Keys that a program that cleans them carelessly would make equal.
    let keys = ["invoice-7", "invoice-70", "invoice 7", "invoice_7", "Invoice-7", "invoice-7@x", "invoicé-7"];
    for key in keys {
        harness.mailer().send(&email("Hello", "Text\n", key)?).await?;
    }
    let ids = sent(&harness).await?.into_iter().map(|mail| mail.message_id);
    let different: std::collections::BTreeSet<String> = ids.collect();
    ensure_eq!(different.len(), keys.len(), "different Message-IDs of {} keys", keys.len());
    Ok(())
}
