//! The promises of authenticator, metrics and ids, broken once each.

use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{
    Authenticator, BoxError, Credentials, ErrorKind, IdGenerator, Metric, MetricsRecorder, PortError,
    PortResult, Principal, Uuid,
};

use super::assert_red;
use crate::conformance::Harness;
use crate::conformance::authenticator::{self, AuthenticatorHarness};
use crate::conformance::ids::{self, IdsHarness};
use crate::conformance::metrics::{self, MetricsHarness};
use crate::fakes::{MemoryAuthenticator, RecordingMetrics, SequentialIds};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    TellsWhichToken,
    RefusesWhenCutOff,
    ForgetsLabels,
    PadsLabels,
    OneSeriesForAll,
    CountsDown,
}

#[derive(Debug, Clone)]
struct Broken {
    flaw: Flaw,
    tokens: MemoryAuthenticator,
    metrics: RecordingMetrics,
}

impl Broken {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, tokens: MemoryAuthenticator::new(), metrics: RecordingMetrics::new() }
    }
}

impl Harness for Broken {}

#[async_trait]
impl AuthenticatorHarness for Broken {
    fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::new(self.clone())
    }

    async fn grant(&self, principal: &Principal) -> Result<String, BoxError> {
        let token = principal.user.to_string();
        self.tokens.grant(&token, principal.clone());
        Ok(token)
    }

    async fn revoke(&self, token: &str) -> Result<(), BoxError> {
        self.tokens.revoke(token);
        Ok(())
    }

    async fn expire(&self, token: &str) -> Result<(), BoxError> {
        self.tokens.revoke(token);
        Ok(())
    }

    async fn cut_off(&self) {
        self.tokens.fail_next(1);
    }
}

#[async_trait]
impl Authenticator for Broken {
    async fn authenticate(&self, credentials: &Credentials) -> PortResult<Principal> {
        let refusal = PortError::new(ErrorKind::Unauthenticated, "auth", "authenticate");
        match (self.tokens.authenticate(credentials).await, credentials) {
            (Err(_), Credentials::Bearer(token)) if self.flaw == Flaw::TellsWhichToken => {
                Err(refusal.with_detail(format!("the token has {} bytes", token.reveal().len())))
            }
            (Err(_), _) if self.flaw == Flaw::RefusesWhenCutOff => Err(refusal),
            (result, _) => result,
        }
    }
}

impl MetricsHarness for Broken {
    fn recorder(&self) -> Arc<dyn MetricsRecorder> {
        Arc::new(self.clone())
    }

    fn value(&self, metric: &'static Metric, labels: &[&str]) -> Option<f64> {
        let count = self.metrics.counter(metric, &self.spoil(metric, labels));
        (count > 0).then(|| u32::try_from(count).map_or(0.0, f64::from))
    }

    fn dropped(&self) -> u64 {
        self.metrics.dropped()
    }
}

impl Broken {
    fn spoil<'l>(&self, metric: &'static Metric, labels: &[&'l str]) -> Vec<&'l str> {
        let mut labels = labels.to_vec();
        match self.flaw {
            Flaw::ForgetsLabels => labels.fill(""),
            Flaw::PadsLabels => labels.resize(metric.labels.len(), ""),
            _ => {}
        }
        labels
    }
}

impl MetricsRecorder for Broken {
    fn add(&self, metric: &'static Metric, labels: &[&str], amount: u64) {
        self.metrics.add(metric, &self.spoil(metric, labels), amount);
    }

    fn set(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.metrics.set(metric, &self.spoil(metric, labels), value);
    }

    fn observe(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.metrics.observe(metric, &self.spoil(metric, labels), value);
    }
}

impl IdsHarness for Broken {
    fn generator(&self) -> Arc<dyn IdGenerator> {
        match self.flaw {
            Flaw::CountsDown => Arc::new(CountDown(SequentialIds::new())),
            _ => Arc::new(SequentialIds::new()),
        }
    }
}

#[derive(Debug)]
struct CountDown(SequentialIds);

impl IdGenerator for CountDown {
    fn next(&self) -> Uuid {
        Uuid::from_u128(!self.0.next().as_u128())
    }
}

#[test]
fn each_flaw_of_an_authenticator_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 2] = [
        (Flaw::TellsWhichToken, &["AU-1 all_other_tokens_are_refused_with_the_same_words"]),
        (Flaw::RefusesWhenCutOff, &["AU-2 a_check_that_fails_is_no_refusal"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, authenticator::cases("broken", move || ready(Ok(Broken::new(flaw)))), names);
    }
}

#[test]
fn each_flaw_of_a_recorder_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 2] = [
        (Flaw::ForgetsLabels, &["ME-1 counters_add_up_per_labels"]),
        (Flaw::PadsLabels, &["ME-2 a_wrong_number_of_labels_is_dropped_and_counted"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, metrics::cases("broken", move || ready(Ok(Broken::new(flaw)))), names);
    }
}

#[test]
fn each_flaw_of_an_id_generator_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 2] = [
        (Flaw::OneSeriesForAll, &["ID-1 generators_at_work_at_once_never_make_the_same_id"]),
        (
            Flaw::CountsDown,
            &["ID-2 ids_of_one_generator_ascend", "ID-2 a_generator_that_is_shared_ascends_for_each_caller"],
        ),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, ids::cases("broken", move || ready(Ok(Broken::new(flaw)))), names);
    }
}
