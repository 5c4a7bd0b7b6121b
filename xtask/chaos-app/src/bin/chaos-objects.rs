//! Stores objects in a directory, again and again, whatever becomes of its disk, and tells what is there afterwards.
//!
//! A few keys are overwritten in turn. Each version says of itself which one it is, so that a torn object, an older one
//! and a lost one can be told apart. What was acknowledged stands in a journal on another disk.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use dolmen::ports::{Bytes, ListRequest, ObjectKey, PutOptions};
use dolmen::{BoxError, ErrorKind, ObjectStore, PortResult, Secret, SystemClock, error_chain};
use dolmen_directory::{DirectoryObjectStore, LinkSigner};

const KEYS: u32 = 32;
const CONTENT_TYPE: &str = "application/octet-stream";
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug, Parser)]
struct CommandLine {
    /// The directory of the objects.
    folder: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stores objects until it is killed
    Put {
        /// Where each line says what became of a version.
        journal: PathBuf,
        /// Keeps as much of an object as there is room for, and says that it is stored.
        #[arg(long)]
        keep_what_fits: bool,
    },
    /// Prints of each object `whole <key> <version>` or `torn <key>`
    Check,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(CommandLine::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(line: CommandLine) -> Result<(), BoxError> {
    let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", Arc::new(SystemClock))?;
    let objects = DirectoryObjectStore::open(line.folder, links).await?;
    match line.command {
        Command::Put { journal, keep_what_fits } => put(&objects, &journal, keep_what_fits).await,
        Command::Check => check(&objects).await,
    }
}

async fn put(objects: &DirectoryObjectStore, journal: &Path, keep_what_fits: bool) -> Result<(), BoxError> {
    let mut journal = OpenOptions::new().create(true).append(true).open(journal)?;
    for version in 1_u32.. {
        let key = version % KEYS;
        let event = match store(objects, key, content(version)).await {
            Ok(()) => "stored",
            Err(error) if error.kind() == ErrorKind::StorageFull && keep_what_fits => {
                let part = content(version).slice(..1);
                if store(objects, key, part).await.is_ok() { "stored" } else { "full" }
            }
            Err(error) if error.kind() == ErrorKind::StorageFull => "full",
            Err(error) => {
                eprintln!("{}", error.chain());
                "failed"
            }
        };
        note(&mut journal, event, key, version)?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// One write, so that whoever reads meanwhile sees whole lines.
fn note(journal: &mut File, event: &str, key: u32, version: u32) -> std::io::Result<()> {
    journal.write_all(format!("{event} {key} {version}\n").as_bytes())
}

async fn store(objects: &DirectoryObjectStore, key: u32, bytes: Bytes) -> PortResult<()> {
    let key = ObjectKey::parse(&format!("chaos/{key}"))?;
    objects.put(&key, bytes, PutOptions::new(CONTENT_TYPE)).await.map(drop)
}

/// A line with the version, then up to 64 KiB that follow from it.
fn content(version: u32) -> Bytes {
    let length = usize::try_from(version.wrapping_mul(2_654_435_761) >> 16).unwrap_or(0);
    let mut bytes = format!("{version}\n").into_bytes();
    bytes.extend(version.to_le_bytes().iter().cycle().take(length));
    Bytes::from(bytes)
}

async fn check(objects: &DirectoryObjectStore) -> Result<(), BoxError> {
    for meta in objects.list(&ListRequest::new("chaos/", KEYS)).await? {
        let key = meta.key.as_str().trim_start_matches("chaos/").to_owned();
        let bytes = objects.get(&meta.key).await.map(|object| object.bytes);
        match bytes.ok().and_then(|bytes| whole(&bytes)) {
            Some(version) => println!("whole {key} {version}"),
            None => println!("torn {key}"),
        }
    }
    Ok(())
}

/// The version, when every byte is there.
fn whole(bytes: &[u8]) -> Option<u32> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let version = std::str::from_utf8(bytes.get(..end)?).ok()?.parse().ok()?;
    (content(version) == bytes).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_lacks_a_byte_is_torn() {
        let bytes = content(77);
        assert_eq!(whole(&bytes), Some(77));
        assert_eq!(whole(&bytes[..bytes.len() - 1]), None);
        assert_eq!(whole(b""), None);
    }
}
