//! The files that the mailer writes, read back by a mail parser that is not the one that wrote them.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dolmen_directory::DirectoryMailer;
use dolmen_ports::{Clock, Email, ErrorKind, MailAddress, Mailer, Timestamp};
use mail_parser::{MessageParser, MimeHeaders};

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-10-01T12:00:00.25Z".parse().unwrap()
    }
}

async fn open(directory: &Path) -> DirectoryMailer {
    DirectoryMailer::open(directory, Arc::new(Noon)).await.unwrap()
}

fn address(text: &str) -> MailAddress {
    MailAddress::parse(text).unwrap()
}

fn email(subject: &str, text: &str, key: &str) -> Email {
    Email::new(address("billing@example.com"), address("ada@example.org"), subject, text, key)
}

fn messages(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[tokio::test]
async fn a_message_is_read_back_as_it_was_sent() {
    let long_line = "word ".repeat(400);
    let cases = [
        ("Your invoice 7", "Hello Ada\n\nPlease pay.\n"),
        (
            "Rechnung über 42 € für Jürg 🪨 – mit einem langen Betreff, der gefaltet werden muss, denn er endet nicht",
            "Grüße\n",
        ),
        ("odd lines", "=20 is not a space\n.\n.leading dot\nFrom here\n"),
        ("long", long_line.as_str()),
        ("empty", ""),
    ];
    for (subject, text) in cases {
        let directory = tempfile::tempdir().unwrap();
        open(directory.path()).await.send(&email(subject, text, "invoice-issued-7")).await.unwrap();
        let paths = messages(directory.path());
        assert_eq!(paths.len(), 1);
        let bytes = fs::read(&paths[0]).unwrap();
        assert!(bytes.is_ascii() && bytes.split(|b| *b == b'\n').all(|line| line.len() <= 998), "{subject}");
        assert_eq!(
            bytes.windows(1).filter(|byte| byte == b"\n").count(),
            bytes.windows(2).filter(|pair| pair == b"\r\n").count(),
            "every line ends in CRLF"
        );
        let message = MessageParser::new().parse(&bytes).unwrap();
        assert_eq!(message.subject().unwrap(), subject);
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), text.trim_end());
        assert_eq!(message.from().unwrap().first().unwrap().address().unwrap(), "billing@example.com");
        assert_eq!(message.to().unwrap().first().unwrap().address().unwrap(), "ada@example.org");
        assert_eq!(message.message_id().unwrap(), "invoice-issued-7@example.com");
        assert_eq!(message.date().unwrap().to_rfc3339(), "2026-10-01T12:00:00Z");
        assert_eq!(message.header_raw("MIME-Version").unwrap().trim(), "1.0");
        let content_type = message.content_type().unwrap();
        assert_eq!((content_type.ctype(), content_type.subtype()), ("text", Some("plain")));
        assert_eq!(content_type.attribute("charset"), Some("utf-8"));
    }
}

#[tokio::test]
async fn the_same_mail_twice_is_two_files_with_one_message_id() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = open(directory.path()).await;
    for _ in 0..3 {
        mailer.send(&email("hello", "hello", "greeting-1")).await.unwrap();
    }
    let paths = messages(directory.path());
    assert_eq!(
        paths.iter().map(|path| name(path)).collect::<Vec<_>>(),
        [
            "20261001T120000.250000Z-greeting-1-2.eml",
            "20261001T120000.250000Z-greeting-1-3.eml",
            "20261001T120000.250000Z-greeting-1.eml",
        ]
    );
    for path in paths {
        let bytes = fs::read(path).unwrap();
        assert_eq!(MessageParser::new().parse(&bytes).unwrap().message_id(), Some("greeting-1@example.com"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_when_many_are_sent_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let mailer = open(directory.path()).await;
        senders.spawn(async move { mailer.send(&email("hello", "hello", "same")).await });
    }
    assert!(senders.join_all().await.iter().all(Result::is_ok));
    assert_eq!(messages(directory.path()).len(), 16);
    assert_eq!(fs::read_dir(directory.path().join(".tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn nothing_that_a_user_types_becomes_a_header_or_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = open(directory.path()).await;
    for (subject, key) in [
        ("hello\r\nBcc: eve@example.com", "key"),
        ("hello\u{85}Bcc: eve@example.com", "key"),
        ("hello", "key>\r\nBcc: eve@example.com"),
        ("", "key"),
        ("hello", ""),
    ] {
        assert_eq!(mailer.send(&email(subject, "", key)).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(messages(directory.path()).is_empty());

    let line_separator = "hello\u{2028}Bcc: eve@example.com";
    for key in ["../../escape", "a> <b@c", "UPPER", "ü", &"k".repeat(200)] {
        mailer.send(&email(line_separator, "\r\nBcc: eve@example.com\r\n", key)).await.unwrap();
    }
    let paths = messages(directory.path());
    assert_eq!(paths.len(), 5);
    let mut ids = std::collections::BTreeSet::new();
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        let message = MessageParser::new().parse(&bytes).unwrap();
        assert!(message.bcc().is_none());
        assert_eq!(message.subject().unwrap(), line_separator);
        assert!(name(path).starts_with("20261001T120000.250000Z-key-"), "{}", path.display());
        ids.insert(message.message_id().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 5, "different keys have different ids");
}

#[tokio::test]
async fn an_address_outside_of_ascii_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = open(directory.path()).await;
    for (number, to) in ["o'hara+tag@example.org", "jürg@example.org", "ada@exämple.org"].iter().enumerate()
    {
        let mail =
            Email::new(address("rechnung@exämple.com"), address(to), "hello", "hello", number.to_string());
        mailer.send(&mail).await.unwrap();
        let bytes = fs::read(&messages(directory.path())[number]).unwrap();
        let message = MessageParser::new().parse(&bytes).unwrap();
        assert_eq!(message.to().unwrap().first().unwrap().address().unwrap(), *to);
        assert_eq!(message.from().unwrap().first().unwrap().address().unwrap(), "rechnung@exämple.com");
        assert_eq!(message.message_id(), Some(format!("{number}@localhost").as_str()));
    }
}
