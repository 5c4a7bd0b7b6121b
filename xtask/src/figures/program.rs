//! Starting the reference app and looking at it from outside.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, While as _};
use crate::process;

const POLL: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_mins(1);
const SETTLE: Duration = Duration::from_secs(3);

/// One start of the program.
pub(super) struct Start {
    /// From the start of the process until `/readyz` says 200.
    pub(super) ready: Duration,
    /// Resident memory a few seconds later, in bytes.
    pub(super) memory: u64,
}

impl Start {
    /// Starts the program on a data folder, waits until it is ready and idle, and stops it with SIGTERM.
    pub(super) fn measure(program: &Path, folder: &Path) -> Outcome<Self> {
        let (port, management) = (process::free_port()?, process::free_port()?);
        let start = Instant::now();
        let mut child = Running(
            Command::new(program)
                .current_dir(folder)
                .env("PORT", port.to_string())
                .env("MANAGEMENT_PORT", management.to_string())
                .env("APP_DATA_DIR", folder)
                .env_remove("DATABASE_URL")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .while_doing(format!("start {}", program.display()))?,
        );
        while !is_ready(management) {
            child.must_run()?;
            if start.elapsed() > DEADLINE {
                return Err(Failure::new(format!("{} was not ready after {DEADLINE:?}", program.display())));
            }
            pause(POLL);
        }
        let ready = start.elapsed();
        pause(SETTLE);
        let memory = resident(child.0.id())?;
        child.stop()?;
        Ok(Self { ready, memory })
    }
}

/// A process that does not outlive this value.
struct Running(Child);

impl Running {
    fn must_run(&mut self) -> Outcome<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!("the program ended before it was ready: {status}"))),
        }
    }

    fn stop(&mut self) -> Outcome<()> {
        process::output_of(Command::new("kill").args(["-TERM", &self.0.id().to_string()]))?;
        let status = self.0.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("SIGTERM should end in exit 0: {status}")))
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when the process has ended already, which is what we want.
        drop(self.0.kill());
        drop(self.0.wait());
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

fn resident(process: u32) -> Outcome<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).while_doing(format!("read {path} (Linux only)"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|size| size * 1024).ok_or_else(|| Failure::new(format!("{path} has no VmRSS")))
}

#[expect(clippy::disallowed_methods, reason = "a measurement of time passes time; nothing is tested here")]
fn pause(time: Duration) {
    thread::sleep(time);
}
