//! A running reference app, for verbs that look at it from outside.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, While as _};
use crate::process;

const POLL: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_mins(1);

/// The program on free ports, with its data in a folder of its own; it does not outlive this value.
pub(crate) struct ReferenceApp {
    child: Child,
    pub(crate) port: u16,
    pub(crate) management: u16,
    log: PathBuf,
}

impl ReferenceApp {
    /// Starts the program in a folder: data in `var`, everything that it says in `log.txt`.
    pub(crate) fn start(program: &Path, folder: &Path) -> Outcome<Self> {
        let (port, management) = (process::free_port()?, process::free_port()?);
        let log = folder.join("log.txt");
        let file = File::create(&log).while_doing(format!("write {}", log.display()))?;
        let child = Command::new(program)
            .current_dir(folder)
            .env("PORT", port.to_string())
            .env("MANAGEMENT_PORT", management.to_string())
            .env_remove("DATABASE_URL")
            .env_remove("DATABASE_MIGRATION_URL")
            .env_remove("APP_DATA_DIR")
            .stdout(file.try_clone()?)
            .stderr(file)
            .stdin(Stdio::null())
            .spawn()
            .while_doing(format!("start {}", program.display()))?;
        Ok(Self { child, port, management, log })
    }

    /// Waits until `/readyz` says 200.
    pub(crate) fn wait_until_ready(&mut self) -> Outcome<()> {
        let start = Instant::now();
        while !is_ready(self.management) {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("it ended before it was ready: {status}")));
            }
            if start.elapsed() > DEADLINE {
                return Err(self.failed(&format!("it was not ready after {DEADLINE:?}")));
            }
            process::pause(POLL);
        }
        Ok(())
    }

    /// The id of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends SIGTERM and waits for the end, which is exit 0.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        process::output_of(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(&format!("SIGTERM should end in exit 0: {status}")))
        }
    }

    fn failed(&self, what: &str) -> Failure {
        Failure::new(format!("the reference app: {what}; it said:\n{}", self.log()))
    }
}

impl Drop for ReferenceApp {
    fn drop(&mut self) {
        // Both fail when the process has ended already, which is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks the management port; anything but a 200 is "not yet".
fn is_ready(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, POLL) else { return false };
    let request = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut answer = [0_u8; 12];
    let asked = stream.set_read_timeout(Some(DEADLINE)).and_then(|()| stream.write_all(request));
    asked.and_then(|()| stream.read_exact(&mut answer)).is_ok() && answer == *b"HTTP/1.1 200"
}
