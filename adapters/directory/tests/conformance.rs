//! The suites of the object store and the mailer.

#![cfg(test)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_directory::{DirectoryMailer, DirectoryObjectStore, LinkSigner};
use dolmen_ports::{
    BoxError, Bytes, ErrorKind, LinkVerifier, Mailer, ObjectKey, ObjectStore, PortError, PortResult, Secret,
};
use dolmen_testkit::conformance::mail::{MailHarness, SentMail};
use dolmen_testkit::conformance::objects::{ObjectsCapabilities, ObjectsHarness};
use dolmen_testkit::conformance::{self, Harness};
use dolmen_testkit::fakes::ManualClock;
use mail_parser::MessageParser;
use tempfile::TempDir;

fn main() -> ExitCode {
    let mut cases = conformance::objects::cases("directory", ObjectsCapabilities::all(), Objects::fresh);
    cases.extend(conformance::mail::cases("directory", Mails::fresh));
    conformance::run(cases)
}

struct Objects {
    _root: TempDir,
    clock: ManualClock,
    links: LinkSigner,
    store: Arc<DirectoryObjectStore>,
}

impl Objects {
    async fn fresh() -> Result<Self, BoxError> {
        let (root, clock) = (TempDir::new()?, ManualClock::new());
        let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", Arc::new(clock.clone()))?;
        let store = Arc::new(DirectoryObjectStore::open(root.path(), links.clone()).await?);
        Ok(Self { _root: root, clock, links, store })
    }
}

impl Harness for Objects {}

#[async_trait]
impl ObjectsHarness for Objects {
    fn store(&self) -> Arc<dyn ObjectStore> {
        self.store.clone()
    }

    async fn open_link(&self, link: &str) -> PortResult<Bytes> {
        let denied = || PortError::new(ErrorKind::PermissionDenied, "objects", "open the link");
        let (path, query) = link.split_once('?').ok_or_else(denied)?;
        let key = ObjectKey::parse(path.strip_prefix("/objects/").ok_or_else(denied)?)?;
        self.links.verify(&key, query)?;
        Ok(self.store.get(&key).await?.bytes)
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

struct Mails {
    directory: TempDir,
    mailer: Arc<DirectoryMailer>,
}

impl Mails {
    async fn fresh() -> Result<Self, BoxError> {
        let directory = TempDir::new()?;
        let mailer = DirectoryMailer::open(directory.path(), Arc::new(ManualClock::new())).await?;
        Ok(Self { directory, mailer: Arc::new(mailer) })
    }
}

impl Harness for Mails {}

#[async_trait]
impl MailHarness for Mails {
    fn mailer(&self) -> Arc<dyn Mailer> {
        self.mailer.clone()
    }

    async fn sent(&self) -> Result<Vec<SentMail>, BoxError> {
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(self.directory.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                mails.push(read(&std::fs::read(path)?).ok_or("the file is not a mail")?);
            }
        }
        Ok(mails)
    }
}

fn read(bytes: &[u8]) -> Option<SentMail> {
    let message = MessageParser::new().parse(bytes)?;
    Some(SentMail {
        message_id: message.message_id()?.to_owned(),
        from: message.from()?.first()?.address()?.to_owned(),
        to: message.to()?.first()?.address()?.to_owned(),
        subject: message.subject()?.to_owned(),
        text: message.body_text(0)?.replace("\r\n", "\n"),
    })
}
