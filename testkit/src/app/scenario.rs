//! Something happens, everything that is due is worked off, and the test looks at what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use dolmen::JobRun;
use dolmen_ports::{Email, Event, Job, JobFilter, JobId, JobRecord, JobState, PortResult, Scope};

use super::TestApp;
use super::leftovers::list;
use super::records::{events_in, jobs_in};

/// What should happen, and for how long to live with it. Made by [`TestApp::scenario`].
#[derive(Debug)]
#[must_use]
pub struct Scenario<'a> {
    app: &'a TestApp,
    time: Duration,
}

/// What came of it: the attempts that ran, the jobs and events that are new, the mails that were sent.
///
/// The methods that begin with `expect` panic when it is otherwise, with the whole story. What a repository holds now, a test
/// asks the repository.
#[derive(Debug, Clone)]
#[must_use]
pub struct Aftermath {
    runs: Vec<JobRun>,
    jobs: Vec<JobRecord>,
    mails: Vec<Email>,
}

impl TestApp {
    /// Begins a scenario: something happens, all that is due is worked off, and the [`Aftermath`] tells what came of it.
    ///
    /// It sees what is new, so earlier jobs and mails of the test do not disturb. Nothing is waited for.
    ///
    /// # Examples
    /// ```
    /// # use dolmen::{Event, InlineModule, Job, JobContext, JobError, Jobs, Scope, WriteTx};
    /// # use dolmen_testkit::TestApp;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize)] struct OrderPlaced { order: u32 }
    /// # impl Event for OrderPlaced { const NAME: &'static str = "shop.order_placed.v1"; }
    /// # #[derive(Serialize, Deserialize)] struct Pack { order: u32 }
    /// # impl Job for Pack { const KIND: &'static str = "shop.pack"; }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let shop = |jobs: Jobs| InlineModule::new("shop", move |registrar| {
    ///     registrar.event::<OrderPlaced>();
    ///     registrar.job::<Pack>(async |_: Pack, _: JobContext| Ok::<(), JobError>(()));
    ///     let jobs = jobs.clone();
    ///     registrar.subscribe("on_order", move |event: OrderPlaced, context: JobContext| {
    ///         let jobs = jobs.clone();
    ///         async move {
    ///             let pack = Pack { order: event.order };
    ///             context.complete(async |tx: &mut WriteTx| jobs.enqueue(tx, &pack).await.map(drop)).await?;
    ///             Ok::<(), JobError>(())
    ///         }
    ///     });
    /// });
    /// let app = TestApp::builder().module(|fakes| shop(fakes.app().jobs())).start().unwrap();
    ///
    /// app.scenario()
    ///     .publish(Scope::System, &OrderPlaced { order: 7 })
    ///     .await
    ///     .unwrap()
    ///     .expect_job::<Pack>(|job| job.order == 7)
    ///     .expect_all_done();
    /// # });
    /// ```
    pub fn scenario(&self) -> Scenario<'_> {
        Scenario { app: self, time: Duration::ZERO }
    }
}

impl Scenario<'_> {
    /// Lets this much time pass afterwards, minute by minute: delayed jobs, retries and the ticks of schedules come and are
    /// worked off.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// An event is published.
    ///
    /// # Errors
    /// Those of the publication, and of [`TestApp::drain`].
    pub async fn publish<E: Event>(self, scope: Scope, event: &E) -> PortResult<Aftermath> {
        let (published, aftermath) = self.call(self.app.publish(scope, event)).await?;
        published.map(|_| aftermath)
    }

    /// A job is enqueued.
    ///
    /// # Errors
    /// Those of the queue, and of [`TestApp::drain`].
    pub async fn enqueue<J: Job>(self, scope: Scope, job: &J) -> PortResult<Aftermath> {
        let (enqueued, aftermath) = self.call(self.app.enqueue(scope, job)).await?;
        enqueued.map(|_| aftermath)
    }

    /// Something is called, such as a use case; what it returned comes back with what came of it.
    ///
    /// # Errors
    /// Those of [`TestApp::drain`].
    pub async fn call<T>(&self, act: impl Future<Output = T>) -> PortResult<(T, Aftermath)> {
        let app = self.app;
        let old: BTreeSet<JobId> = app.records(&JobFilter::all()).await?.iter().map(|job| job.id).collect();
        let sent = app.mails().len();
        let result = act.await;
        let mut runs = app.drain().await?;
        if !self.time.is_zero() {
            runs.extend(app.run_for(self.time).await?);
        }
        let mut jobs = app.records(&JobFilter::all()).await?;
        jobs.retain(|job| !old.contains(&job.id));
        let mails = app.mails().into_iter().skip(sent).collect();
        Ok((result, Aftermath { runs, jobs, mails }))
    }
}

impl Aftermath {
    /// The attempts that ran, in their order.
    pub fn runs(&self) -> &[JobRun] {
        &self.runs
    }

    /// The new jobs of a type, in whatever state.
    pub fn jobs<J: Job>(&self) -> Vec<J> {
        jobs_in(&self.jobs)
    }

    /// The events of a type that were published. See [`TestApp::events`] for events without a subscriber.
    pub fn events<E: Event>(&self) -> Vec<E> {
        events_in(&self.jobs)
    }

    /// The mails that were sent.
    pub fn mails(&self) -> &[Email] {
        &self.mails
    }

    /// A job of this type that matches was enqueued.
    #[track_caller]
    pub fn expect_job<J: Job>(self, matches: impl FnMut(&J) -> bool) -> Self {
        let found = self.jobs::<J>().iter().any(matches);
        self.expect(found, || format!("no {} that matches", J::KIND))
    }

    /// No job of this type was enqueued.
    #[track_caller]
    pub fn expect_no_job<J: Job>(self) -> Self {
        let none = self.jobs.iter().all(|job| job.kind != J::KIND);
        self.expect(none, || format!("there is a {}", J::KIND))
    }

    /// An event of this type that matches was published.
    #[track_caller]
    pub fn expect_event<E: Event>(self, matches: impl FnMut(&E) -> bool) -> Self {
        let found = self.events::<E>().iter().any(matches);
        self.expect(found, || format!("no {} that matches", E::NAME))
    }

    /// No event of this type was published.
    #[track_caller]
    pub fn expect_no_event<E: Event>(self) -> Self {
        let none = self.events::<E>().is_empty();
        self.expect(none, || format!("there is a {}", E::NAME))
    }

    /// A mail to this address that matches was sent.
    #[track_caller]
    pub fn expect_mail(self, to: &str, matches: impl FnMut(&Email) -> bool) -> Self {
        let found = self.mails.iter().filter(|mail| mail.to.as_str() == to).any(matches);
        self.expect(found, || format!("no mail to {to} that matches"))
    }

    /// Every job that came of it is done: none waits, none is dead or was discarded.
    #[track_caller]
    pub fn expect_all_done(self) -> Self {
        let all = self.jobs.iter().all(|job| job.state == JobState::Done);
        self.expect(all, || "not every job is done".to_owned())
    }

    #[track_caller]
    fn expect(self, holds: bool, what: impl FnOnce() -> String) -> Self {
        assert!(holds, "{}; {}", what(), self.story());
        self
    }

    /// All that came of it, in words.
    fn story(&self) -> String {
        let runs =
            self.runs.iter().map(|run| format!("{} {} ({})", run.kind, run.outcome.name(), run.attempt));
        let mails = self.mails.iter().map(|mail| format!("{} {:?}", mail.to, mail.subject));
        let told = |lines: Vec<String>| if lines.is_empty() { "none".to_owned() } else { lines.join(", ") };
        format!(
            "attempts: {}; jobs: {}; mails: {}",
            told(runs.collect()),
            if self.jobs.is_empty() { "none".to_owned() } else { list(&self.jobs) },
            told(mails.collect())
        )
    }
}
