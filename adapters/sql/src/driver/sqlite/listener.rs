//! Hearing of new jobs of other processes on a file: somebody wrote to it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use dolmen_ports::PortResult;
use tokio::time::sleep;

use crate::driver::{Listener, OF_ANY_QUEUE};

/// A look asks the file system, not the database. Who hears asks the database, so it is not done more often than this either.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// When a file was changed, and its size; nothing when it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// Waits until the file or its log is another one than it was. What was written need not be a job, so whoever hears looks, and
/// may find nothing.
#[derive(Debug)]
pub(super) struct WrittenFile {
    /// A commit goes to the log, or with another journal to the file itself.
    places: [PathBuf; 2],
    seen: [Stamp; 2],
    /// The log is written to before the commit can be seen, so a look that comes in between needs another one.
    again: bool,
}

impl WrittenFile {
    /// Nothing when there is no such file: a database in memory.
    pub(super) async fn of(file: &Path) -> Option<Self> {
        // The log lies beside the file itself, wherever links lead.
        let file = tokio::fs::canonicalize(file).await.ok()?;
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let mut written = Self { places: [file, log.into()], seen: [None, None], again: false };
        written.seen = written.look().await;
        Some(written)
    }

    async fn look(&self) -> [Stamp; 2] {
        let [file, log] = &self.places;
        [stamp(file).await, stamp(log).await]
    }
}

async fn stamp(path: &Path) -> Stamp {
    let found = tokio::fs::metadata(path).await.ok()?;
    Some((found.modified().ok()?, found.len()))
}

#[async_trait]
impl Listener for WrittenFile {
    async fn hear(&mut self) -> PortResult<String> {
        loop {
            // Before the look, so that nobody is told more often than this.
            sleep(LOOK_EVERY).await;
            let now = self.look().await;
            let is_written = now != self.seen;
            if is_written || self.again {
                (self.seen, self.again) = (now, is_written);
                return Ok(OF_ANY_QUEUE.to_owned());
            }
        }
    }
}
