//! The promises of objects and mail, broken once each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    BoxError, Bytes, Email, ErrorKind, ListRequest, Mailer, Object, ObjectKey, ObjectMeta, ObjectStore,
    ObjectVersion, PortResult, PutMode, PutOptions, check_email,
};

use tokio::sync::Barrier;

use super::assert_red;
use crate::conformance::mail::{self, MailHarness, SentMail};
use crate::conformance::objects::{self, ObjectsCapabilities, ObjectsHarness, WRITERS};
use crate::conformance::{Harness, MemoryHarness};

/// What is wrong with a store or a mailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    ChecksAndThenWrites,
    OverwritesAlways,
    WritesInTwoSteps,
    OneFolderPerSegment,
    ListsFolders,
    RefusesAbsentDeletes,
    LinksForEver,
    LinksAnyKey,
    LosesMails,
    SendsAnything,
    OneIdPerMail,
    OneIdForLookAlikes,
}

#[derive(Debug, Clone)]
struct Broken {
    flaw: Flaw,
    inner: Arc<MemoryHarness>,
    race: Arc<Barrier>,
}

impl Broken {
    async fn fresh(flaw: Flaw) -> Result<Self, BoxError> {
        let (inner, race) = (Arc::new(MemoryHarness::fresh().await?), Arc::new(Barrier::new(WRITERS)));
        Ok(Self { flaw, inner, race })
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn objects(&self) -> Arc<dyn ObjectStore> {
        ObjectsHarness::store(&*self.inner)
    }
}

impl Harness for Broken {}

#[async_trait]
impl ObjectsHarness for Broken {
    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.clone())
    }

    async fn open_link(&self, link: &str) -> PortResult<Bytes> {
        if self.has(Flaw::LinksAnyKey) {
            let path = link.split('?').next().unwrap_or_default();
            return Ok(self
                .objects()
                .get(&ObjectKey::parse(path.trim_start_matches("/objects/"))?)
                .await?
                .bytes);
        }
        self.inner.open_link(link).await
    }

    async fn advance(&self, by: Duration) {
        if !self.has(Flaw::LinksForEver) {
            self.inner.advance(by).await;
        }
    }
}

#[async_trait]
impl ObjectStore for Broken {
    async fn put(&self, key: &ObjectKey, bytes: Bytes, mut options: PutOptions) -> PortResult<ObjectVersion> {
        match self.flaw {
            Flaw::OverwritesAlways => options.mode = PutMode::Overwrite,
            Flaw::ChecksAndThenWrites if options.mode == PutMode::Create => {
                if self.objects().head(key).await.is_ok() {
                    return self.objects().put(key, bytes, options).await;
                }
                // All writers of the race have checked before the first one writes.
                self.race.wait().await;
                options.mode = PutMode::Overwrite;
            }
            Flaw::WritesInTwoSteps => {
                let half = bytes.slice(..bytes.len() / 2);
                self.objects().put(key, half, options.clone().with_mode(PutMode::Overwrite)).await?;
                tokio::task::yield_now().await;
                options.mode = PutMode::Overwrite;
            }
            Flaw::OneFolderPerSegment => {
                let prefix = format!("{key}/");
                if !self.objects().list(&ListRequest::new(prefix, 1)).await?.is_empty() {
                    return Err(dolmen_ports::PortError::new(ErrorKind::Internal, "objects", "put"));
                }
            }
            _ => {}
        }
        self.objects().put(key, bytes, options).await
    }

    async fn get(&self, key: &ObjectKey) -> PortResult<Object> {
        self.objects().get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> PortResult<ObjectMeta> {
        self.objects().head(key).await
    }

    async fn delete(&self, key: &ObjectKey) -> PortResult<()> {
        if self.has(Flaw::RefusesAbsentDeletes) {
            self.objects().head(key).await?;
        }
        self.objects().delete(key).await
    }

    async fn list(&self, request: &ListRequest) -> PortResult<Vec<ObjectMeta>> {
        let mut listed = self.objects().list(request).await?;
        if self.has(Flaw::ListsFolders) {
            listed.sort_by_key(|meta| meta.key.as_str().split('/').map(str::to_owned).collect::<Vec<_>>());
        }
        Ok(listed)
    }

    async fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String> {
        self.objects().link(key, valid_for).await
    }
}

#[async_trait]
impl MailHarness for Broken {
    fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(self.clone())
    }

    async fn sent(&self) -> Result<Vec<SentMail>, BoxError> {
        let mut mails = self.inner.sent().await?;
        for (number, mail) in mails.iter_mut().enumerate() {
            match self.flaw {
                Flaw::OneIdPerMail => mail.message_id = format!("<{number}@broken>"),
                Flaw::OneIdForLookAlikes => mail.message_id = mail.message_id.to_lowercase(),
                _ => {}
            }
        }
        Ok(mails)
    }
}

#[async_trait]
impl Mailer for Broken {
    async fn send(&self, email: &Email) -> PortResult<()> {
        let mailer = self.inner.mailer();
        if self.has(Flaw::LosesMails) {
            return check_email(email);
        }
        if self.has(Flaw::SendsAnything) && check_email(email).is_err() {
            let (from, to) = (email.from.clone(), email.to.clone());
            let cleaned = Email::new(from, to, "cleaned", email.text.clone(), "cleaned");
            return mailer.send(&cleaned).await;
        }
        mailer.send(email).await
    }
}

#[test]
fn each_flaw_of_an_object_store_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 8] = [
        (Flaw::ChecksAndThenWrites, &["OB-2 of_concurrent_creators_exactly_one_succeeds"]),
        (
            Flaw::OverwritesAlways,
            &[
                "OB-2 create_refuses_a_key_that_is_there",
                "OB-3 replace_takes_the_current_version_only",
                "OB-3 replace_refuses_a_key_that_is_not_there",
                "OB-6 a_refused_put_leaves_the_old_object",
            ],
        ),
        (Flaw::WritesInTwoSteps, &["OB-6 a_put_cancelled_at_any_await_leaves_the_whole_object_or_none"]),
        (Flaw::OneFolderPerSegment, &["OB-1 a_key_may_begin_with_another_key"]),
        (Flaw::ListsFolders, &["OB-5 a_list_is_in_byte_order_of_the_keys"]),
        (Flaw::RefusesAbsentDeletes, &["OB-4 delete_removes_and_may_be_repeated"]),
        (Flaw::LinksForEver, &["OB-8 a_link_is_open_until_it_expires_and_not_afterwards"]),
        (
            Flaw::LinksAnyKey,
            &["OL-2 a_changed_link_opens_nothing", "OL-2 a_link_of_another_object_opens_nothing"],
        ),
    ];
    for (flaw, names) in table {
        let cases = objects::cases("broken", ObjectsCapabilities::all(), move || Broken::fresh(flaw));
        assert_red(&flaw, cases, names);
    }
}

#[test]
fn each_flaw_of_a_mailer_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 4] = [
        (Flaw::LosesMails, &["ML-1 a_mail_arrives_as_it_was_sent", "ML-1 concurrent_mails_all_arrive"]),
        (
            Flaw::SendsAnything,
            &[
                "ML-2 a_subject_with_a_control_character_sends_nothing",
                "ML-2 a_key_that_breaks_the_rule_sends_nothing",
            ],
        ),
        (Flaw::OneIdPerMail, &["ML-3 the_same_key_gives_the_same_message_id"]),
        (Flaw::OneIdForLookAlikes, &["ML-3 different_keys_give_different_message_ids"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, mail::cases("broken", move || Broken::fresh(flaw)), names);
    }
}
