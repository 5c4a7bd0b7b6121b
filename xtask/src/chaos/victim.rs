//! A process that may be killed, stopped and continued.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::patience::until;

/// How long a process may take to end after SIGTERM.
const END_WITHIN: Duration = Duration::from_secs(15);

/// A running process; dropping it kills it.
#[derive(Debug)]
pub(super) struct Victim(Child);

impl Victim {
    /// Starts a program that logs into a file.
    pub(super) fn start(mut command: Command, log: &Path) -> Outcome<Self> {
        let log = OpenOptions::new().create(true).append(true).open(log).while_doing("open the log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let name = process::shown(&command);
        Ok(Self(command.spawn().while_doing(format!("start `{name}`"))?))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Fails when the process has ended by itself.
    pub(super) fn must_run(&mut self) -> Outcome<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!("process {} ended by itself: {status}", self.id()))),
        }
    }

    /// `kill -9`, and waits until the process is gone.
    pub(super) fn kill(&mut self) -> Outcome<()> {
        self.must_run()?;
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// `kill -STOP`: the process stands still and does not know it.
    pub(super) fn stop(&self) -> Outcome<()> {
        self.signal("STOP")
    }

    /// `kill -CONT`.
    pub(super) fn go_on(&self) -> Outcome<()> {
        self.signal("CONT")
    }

    /// SIGTERM alone.
    pub(super) fn tell_to_end(&self) -> Outcome<()> {
        self.signal("TERM")
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// SIGTERM, and waits for the end.
    pub(super) fn end(&mut self) -> Outcome<ExitStatus> {
        self.signal("TERM")?;
        until(END_WITHIN, "a process to end after SIGTERM", || Ok(self.0.try_wait()?))
    }

    fn signal(&self, name: &str) -> Outcome<()> {
        process::output_of(Command::new("kill").args([format!("-{name}"), self.id().to_string()]))?;
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Both fail when the process has ended already, which is what we want.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
