//! Assertions on what an application did.

/// Asserts that a job of this type was enqueued, and optionally one that matches.
///
/// ```text
/// assert_enqueued!(app, SendInvoiceMail);
/// assert_enqueued!(app, SendInvoiceMail, |job| job.invoice == id);
/// ```
#[macro_export]
macro_rules! assert_enqueued {
    ($app:expr, $job:ty $(,)?) => {
        $crate::assert_enqueued!($app, $job, |_| true)
    };
    ($app:expr, $job:ty, $matches:expr $(,)?) => {{
        let (jobs, summary) = ($app.jobs::<$job>().await, $app.summary().await);
        let found = jobs.is_ok_and(|jobs| jobs.iter().any($matches));
        ::core::assert!(found, "no {} that matches; {summary}", ::core::any::type_name::<$job>());
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
