//! Hearing of new jobs of other processes on a file: somebody wrote to it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use dolmen_ports::PortResult;
use tokio::time::sleep;

use crate::driver::{Listener, OF_ANY_QUEUE};

/// A look asks the file system, not the database.
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
}

impl WrittenFile {
    pub(super) async fn of(file: &Path) -> Self {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let mut written = Self { places: [file.to_owned(), log.into()], seen: [None, None] };
        written.seen = written.look().await;
        written
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
            if now != self.seen {
                self.seen = now;
                return Ok(OF_ANY_QUEUE.to_owned());
            }
        }
    }
}
