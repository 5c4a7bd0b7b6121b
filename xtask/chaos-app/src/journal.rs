//! The journal: what happened, outside of the database.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use dolmen::{Clock, JobContext, JobId, SystemClock};

/// A file that several processes append whole lines to: `<event> <job> <process> <milliseconds since 1970>`, and which attempt it
/// was, if it was one. Counters stand there with their label in the place of the job.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<File>);

impl Journal {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Notes an event of an attempt.
    pub(crate) fn note(&self, event: &str, context: &JobContext) -> io::Result<()> {
        let line = line(event, &context.id().to_string());
        self.append(&format!("{line} {}\n", context.attempt()))
    }

    /// Notes that a counter counted.
    pub(crate) fn note_counted(&self, counter: &str, label: &str) -> io::Result<()> {
        self.append(&format!("{}\n", line(counter, label)))
    }

    /// Notes that jobs were enqueued.
    pub(crate) fn note_enqueued(&self, jobs: &[JobId]) -> io::Result<()> {
        let line = |job: &JobId| format!("{}\n", line("enqueued", &job.to_string()));
        self.append(&jobs.iter().map(line).collect::<String>())
    }

    /// One write, so that lines of different processes never mix.
    fn append(&self, text: &str) -> io::Result<()> {
        (&*self.0).write_all(text.as_bytes())
    }
}

fn line(event: &str, job: &str) -> String {
    let millis = SystemClock.now().as_unix_micros() / 1_000;
    format!("{event} {job} {} {millis}", std::process::id())
}
