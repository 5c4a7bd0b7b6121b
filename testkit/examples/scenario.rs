//! The testkit alone: a module on fakes, a clock that the test moves, a mail that fails once.
//!
//! `cargo run -p dolmen-testkit --example scenario`

use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    BoxError, Cron, Email, ErrorKind, Job, JobContext, JobError, JobOutcome, MailAddress, Mailer,
    MigrationSet, Module, ModuleName, Registrar,
};
use dolmen_testkit::{TestApp, assert_enqueued, assert_mailed};
use serde::{Deserialize, Serialize};

/// Sends the list of the day.
#[derive(Debug, Serialize, Deserialize)]
struct SendList {
    day: String,
}

impl Job for SendList {
    const KIND: &'static str = "lists.send_list";
}

struct Lists {
    mailer: Arc<dyn Mailer>,
}

impl Module for Lists {
    fn name(&self) -> ModuleName {
        ModuleName::new("lists")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let mailer = Arc::clone(&self.mailer);
        registrar.job(move |job, context| send_list(Arc::clone(&mailer), job, context));
        registrar.schedule("daily", Cron::new("0 7 * * *"), |tick| SendList { day: tick.to_string() });
    }
}

async fn send_list(mailer: Arc<dyn Mailer>, job: SendList, context: JobContext) -> Result<(), JobError> {
    let to = MailAddress::parse("ada@example.com").map_err(JobError::bury)?;
    let subject = format!("The list of {}", job.day);
    mailer
        .send(&Email::new(to.clone(), to, subject, "Nothing to do.\n", format!("list-{}", context.id())))
        .await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let app =
        TestApp::builder().module(|fakes| Lists { mailer: Arc::new(fakes.mailer().clone()) }).start()?;

    let published = app.advance(Duration::from_hours(24)).await?;
    println!("a day has passed in no time: {} tick", published.len());
    assert_enqueued!(app, SendList, |job| job.day.starts_with("2026-01-01T07:00"));

    app.fakes().mailer().fail_next(1, ErrorKind::Unavailable);
    let first = app.drain().await?;
    println!("the mail server is down: {:?}", first.first().map(|run| run.outcome));

    app.advance(Duration::from_secs(5)).await?;
    let second = app.drain().await?;
    println!("five seconds later: {:?}", second.first().map(|run| run.outcome));
    assert_mailed!(app, "ada@example.com", |mail| mail.subject.contains("2026-01-01"));

    let outcomes = [&first, &second].map(|runs| runs.first().map(|run| run.outcome));
    if outcomes == [Some(JobOutcome::Retried), Some(JobOutcome::Done)] {
        return Ok(());
    }
    Err(format!("expected a retry and an end, got {outcomes:?}").into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs_to_its_end() {
        super::main().unwrap();
    }
}
