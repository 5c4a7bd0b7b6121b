//! Assertions on what an application did.

/// Asserts that a job of this type was enqueued, and optionally one whose payload matches, and that was enqueued in a
/// certain way.
///
/// It looks at all jobs, in whatever state they are by now, and never waits. The ways are those of [`JobMatch`], by name:
/// `queue`, `tenant`, `scope`, `due_in`, `due_at`, `unique`, `ordered_by`, `priority`. On failure it lists what was enqueued
/// instead.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use dolmen::{InlineModule, Job, JobContext, JobError, JobOptions, Scope};
/// use dolmen_testkit::{TestApp, assert_enqueued, refute_enqueued};
/// # use serde::{Deserialize, Serialize};
///
/// # #[derive(Serialize, Deserialize)]
/// struct Remind { invoice: u32 }
/// # impl Job for Remind { const KIND: &'static str = "mails.remind"; }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mails = InlineModule::new("mails", |registrar| {
///     registrar.job(async |_: Remind, _: JobContext| Ok::<(), JobError>(()));
/// });
/// let app = TestApp::builder().module(|_| mails).start().unwrap();
/// let later = JobOptions::new().delay(Duration::from_hours(48)).unique("invoice-7");
/// app.enqueue_with(Scope::System, &Remind { invoice: 7 }, later).await.unwrap();
///
/// assert_enqueued!(app, Remind);
/// assert_enqueued!(app, Remind, |job| job.invoice == 7);
/// assert_enqueued!(app, Remind, |job| job.invoice == 7, due_in: Duration::from_hours(48), unique: "invoice-7");
/// refute_enqueued!(app, Remind, queue: "mail");
/// # app.ignore_leftovers();
/// # });
/// ```
///
/// [`JobMatch`]: crate::JobMatch
#[macro_export]
macro_rules! assert_enqueued {
    ($app:expr, $job:ty $(, $way:ident : $value:expr)* $(,)?) => {
        $crate::assert_enqueued!($app, $job, |_| true $(, $way: $value)*)
    };
    ($app:expr, $job:ty, $matches:expr $(, $way:ident : $value:expr)* $(,)?) => {{
        let like = $crate::JobMatch::new()$(.$way($value))*;
        let (found, wanted, summary) = $app.matching::<$job>(&like, $matches).await;
        ::core::assert!(found > 0, "no {wanted} was enqueued; {summary}");
    }};
}

/// Asserts that no job of this type was enqueued, or none that matches: the opposite of [`assert_enqueued!`], with the same
/// words.
///
/// [`assert_enqueued!`]: crate::assert_enqueued
#[macro_export]
macro_rules! refute_enqueued {
    ($app:expr, $job:ty $(, $way:ident : $value:expr)* $(,)?) => {
        $crate::refute_enqueued!($app, $job, |_| true $(, $way: $value)*)
    };
    ($app:expr, $job:ty, $matches:expr $(, $way:ident : $value:expr)* $(,)?) => {{
        let like = $crate::JobMatch::new()$(.$way($value))*;
        let (found, unwanted, summary) = $app.matching::<$job>(&like, $matches).await;
        ::core::assert!(found == 0, "{found} of {unwanted} should not have been enqueued; {summary}");
    }};
}

/// Asserts that an event of this type was published, and optionally one that matches. An event that no module subscribes
/// to has to be watched: see [`TestApp::events`](crate::TestApp::events).
///
/// ```text
/// assert_published!(app, InvoiceIssued);
/// assert_published!(app, InvoiceIssued, |event| event.invoice == id);
/// ```
#[macro_export]
macro_rules! assert_published {
    ($app:expr, $event:ty $(,)?) => {
        $crate::assert_published!($app, $event, |_| true)
    };
    ($app:expr, $event:ty, $matches:expr $(,)?) => {{
        let (events, summary) = ($app.events::<$event>().await, $app.summary().await);
        let found = events.is_ok_and(|events| events.iter().any($matches));
        ::core::assert!(found, "no {} that matches; {summary}", ::core::any::type_name::<$event>());
    }};
}

/// Asserts that a mail was sent to an address, and optionally one that matches.
///
/// ```text
/// assert_mailed!(app, "ada@example.com");
/// assert_mailed!(app, "ada@example.com", |mail| mail.subject.contains("Invoice 7"));
/// ```
#[macro_export]
macro_rules! assert_mailed {
    ($app:expr, $to:expr $(,)?) => {
        $crate::assert_mailed!($app, $to, |_| true)
    };
    ($app:expr, $to:expr, $matches:expr $(,)?) => {{
        let (mails, to) = ($app.mails(), $to);
        let found = mails.iter().filter(|mail| mail.to.as_str() == to).any($matches);
        ::core::assert!(found, "no mail to {to} that matches; sent: {mails:?}");
    }};
}
