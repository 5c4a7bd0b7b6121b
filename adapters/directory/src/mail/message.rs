//! An email as an RFC 5322 message.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use dolmen_ports::{Email, ErrorKind, MailAddress, PortResult, Timestamp};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, MIME_VERSION_1_0};
use sha2::{Digest, Sha256};

use crate::failure::Operation;

const SEND: Operation = Operation::mail("send");

/// A message ready to be written.
#[derive(Debug)]
pub(super) struct Message {
    /// The left part of its `Message-ID`.
    pub(super) id: String,
    /// Headers and body, lines ended by CRLF.
    pub(super) bytes: Vec<u8>,
}

pub(super) fn build(email: &Email, at: Timestamp) -> PortResult<Message> {
    let id = id_of(&email.key);
    let message = lettre::Message::builder()
        .from(mailbox("from", &email.from)?)
        .to(mailbox("to", &email.to)?)
        .subject(email.subject.as_str())
        .message_id(Some(format!("<{id}@{}>", id_domain(&email.from))))
        .date(system_time(at))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(email.text.clone())
        .map_err(|error| {
            SEND.error(ErrorKind::InvalidInput)
                .with_detail("the message cannot be written")
                .with_source(error)
        })?;
    Ok(Message { id, bytes: message.formatted() })
}

fn mailbox(field: &str, address: &MailAddress) -> PortResult<Mailbox> {
    let address = address.as_str().parse().map_err(|error: lettre::address::AddressError| {
        SEND.error(ErrorKind::InvalidInput)
            .with_detail(format!("{field} must be an address that can stand in a header"))
            .with_source(error)
    })?;
    Ok(Mailbox::new(None, address))
}

/// The key itself where it can stand in a `Message-ID` and a file name, so that a person can tell the mail; else its hash.
fn id_of(key: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if key.len() <= 100 && key.chars().all(plain) {
        return key.to_owned();
    }
    let mut id = "key-".to_owned();
    for byte in Sha256::digest(key).iter().take(16) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn id_domain(from: &MailAddress) -> &str {
    let domain = from.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    if !domain.is_empty() && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) {
        domain
    } else {
        "localhost"
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_unix_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
