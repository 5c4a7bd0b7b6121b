//! The ports outside of transactions, in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    Authenticator, BoxError, Bytes, ErrorKind, IdGenerator, LinkVerifier, Mailer, Metric, MetricKind,
    MetricsRecorder, ObjectKey, ObjectStore, PortError, PortResult, Principal,
};

use super::MemoryHarness;
use crate::conformance::authenticator::AuthenticatorHarness;
use crate::conformance::ids::IdsHarness;
use crate::conformance::mail::{MailHarness, SentMail};
use crate::conformance::metrics::MetricsHarness;
use crate::conformance::objects::ObjectsHarness;
use crate::fakes::SequentialIds;

#[async_trait]
impl MailHarness for MemoryHarness {
    fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(self.mailer.clone())
    }

    async fn sent(&self) -> Result<Vec<SentMail>, BoxError> {
        let mails = self.mailer.sent().into_iter().map(|email| SentMail {
            message_id: format!("<{}@memory>", email.key),
            from: email.from.to_string(),
            to: email.to.to_string(),
            subject: email.subject,
            text: email.text,
        });
        Ok(mails.collect())
    }
}

#[async_trait]
impl ObjectsHarness for MemoryHarness {
    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.objects.clone())
    }

    async fn open_link(&self, link: &str) -> PortResult<Bytes> {
        let denied = || PortError::new(ErrorKind::PermissionDenied, "objects", "verify a link");
        let (path, query) = link.split_once('?').ok_or_else(denied)?;
        let key = ObjectKey::parse(path.strip_prefix("/objects/").ok_or_else(denied)?)?;
        self.objects.verify(&key, query)?;
        Ok(self.objects.get(&key).await?.bytes)
    }

    async fn advance(&self, by: Duration) {
        self.memory.clock().advance(by);
    }
}

#[async_trait]
impl AuthenticatorHarness for MemoryHarness {
    fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::new(self.authenticator.clone())
    }

    async fn grant(&self, principal: &Principal) -> Result<String, BoxError> {
        let token = format!("token-of-{}", principal.user);
        self.authenticator.grant(&token, principal.clone());
        Ok(token)
    }

    async fn revoke(&self, token: &str) -> Result<(), BoxError> {
        self.authenticator.revoke(token);
        Ok(())
    }

    async fn expire(&self, token: &str) -> Result<(), BoxError> {
        // The fake's tokens have no time: one that ran out is one that it does not know any more.
        self.authenticator.revoke(token);
        Ok(())
    }

    async fn cut_off(&self) {
        self.authenticator.fail_next(usize::MAX);
    }
}

impl MetricsHarness for MemoryHarness {
    fn recorder(&self) -> Arc<dyn MetricsRecorder> {
        Arc::new(self.metrics.clone())
    }

    fn value(&self, metric: &'static Metric, labels: &[&str]) -> Option<f64> {
        // A count of a test is far from the 2^53 up to which an f64 counts exactly.
        let exact = |count: usize| (count > 0).then(|| u32::try_from(count).map_or(f64::MAX, f64::from));
        match metric.kind {
            MetricKind::Counter => exact(usize::try_from(self.metrics.counter(metric, labels)).unwrap_or(0)),
            MetricKind::Gauge => self.metrics.gauge(metric, labels),
            _ => exact(self.metrics.observations(metric, labels).len()),
        }
    }

    fn dropped(&self) -> u64 {
        self.metrics.dropped()
    }
}

impl IdsHarness for MemoryHarness {
    fn generator(&self) -> Arc<dyn IdGenerator> {
        Arc::new(SequentialIds::series(self.generators.fetch_add(1, Ordering::SeqCst)))
    }
}
