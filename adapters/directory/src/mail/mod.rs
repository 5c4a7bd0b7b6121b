//! The mailer.

mod message;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{Clock, Email, Mailer, PortResult, Timestamp, check_email};

use crate::blocking::{self, Commit};
use crate::failure::{AtPath, Operation};
use crate::staging::{self, Staging};

use message::Message;

const SEND: Operation = Operation::mail("send");

/// Writes each message as an `.eml` file into a directory, for development and tests.
///
/// The files are RFC 5322 messages; they are named by time and `Message-ID`, so a listing is in the order of sending, and
/// a mail that is sent twice lies there twice with the same `Message-ID`, as in a real mailbox. A file appears whole.
///
/// # Cancel safety
/// A `send` that is dropped writes nothing or the whole message.
#[derive(Debug, Clone)]
pub struct DirectoryMailer {
    folder: Arc<Folder>,
    clock: Arc<dyn Clock>,
}

impl DirectoryMailer {
    /// Opens the directory and makes it when it is missing.
    ///
    /// # Errors
    /// `Internal` when the directory may not be read and written, `Unavailable` for other I/O errors.
    pub async fn open(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> PortResult<Self> {
        let directory = directory.into();
        let folder = blocking::run(Operation::mail("open"), move |_| Folder::open(directory)).await?;
        Ok(Self { folder: Arc::new(folder), clock })
    }
}

#[async_trait]
impl Mailer for DirectoryMailer {
    async fn send(&self, email: &Email) -> PortResult<()> {
        check_email(email)?;
        let at = self.clock.now();
        let message = message::build(email, at)?;
        let folder = self.folder.clone();
        blocking::run(SEND, move |commit| folder.add(&message, at, commit)).await
    }
}

/// The directory of the messages.
#[derive(Debug)]
struct Folder {
    directory: PathBuf,
    staging: Staging,
}

impl Folder {
    fn open(directory: PathBuf) -> PortResult<Self> {
        let operation = Operation::mail("open");
        fs::create_dir_all(&directory).at(operation, &directory)?;
        let staging = Staging::open(operation, directory.join(".tmp"))?;
        Ok(Self { directory, staging })
    }

    fn add(&self, message: &Message, at: Timestamp, commit: &Commit) -> PortResult<()> {
        let staged = self.staging.write(SEND, &[&message.bytes])?;
        // Names are given under a lock, so that two processes never take the same one.
        let _lock = staging::lock(SEND, &self.directory.join(".lock"))?;
        let path = self.free_name(at, &message.id)?;
        commit.begin(SEND)?;
        staged.publish(SEND, &path)
    }

    /// `20261001T120000.000000Z-<id>.eml`, and with `-2` and so on where that is taken.
    fn free_name(&self, at: Timestamp, id: &str) -> PortResult<PathBuf> {
        let time: String = at.to_string().chars().filter(|c| !"-:".contains(*c)).collect();
        let mut path = self.directory.join(format!("{time}-{id}.eml"));
        let mut number = 1_u32;
        while is_taken(&path)? {
            number += 1;
            path = self.directory.join(format!("{time}-{id}-{number}.eml"));
        }
        Ok(path)
    }
}

fn is_taken(path: &Path) -> PortResult<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(SEND.failed(path, &error)),
    }
}
