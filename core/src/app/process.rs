//! Drives the state machine: listens, feeds it, and does what it says.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Sleep;

use super::AppSettings;
use super::error::RunError;
use super::lifecycle::{Input, Lifecycle, Phase, Step};
use super::runners::{Ended, Runners};
use super::signals::Signals;
use super::stage::Stage;
use super::startup::Modules;
use crate::operations::{Snapshot, Status};
use crate::runner::RoleRunner;

/// How long runners without a role may take to drain, and then to stop: they hold no work.
const PROBES_PATIENCE: Duration = Duration::from_millis(500);

/// A running process: its runners, its timer, and where it is in its life.
pub(super) struct Process<S> {
    stage: Stage,
    settings: AppSettings,
    modules: Modules,
    signals: S,
    lifecycle: Lifecycle,
    probes: Runners,
    serving: Runners,
    timer: Option<Pin<Box<Sleep>>>,
    failure: Option<RunError>,
}

type Startup = Pin<Box<dyn Future<Output = Result<(), RunError>> + Send>>;

/// What happens before the runners of roles are spawned, and those runners.
struct Pending {
    startup: Startup,
    runners: Vec<Box<dyn RoleRunner>>,
}

impl<S: Signals> Process<S> {
    pub(super) fn new(stage: Stage, settings: AppSettings, modules: Modules, signals: S) -> Self {
        Self {
            stage,
            settings,
            modules,
            signals,
            lifecycle: Lifecycle::new(),
            probes: Runners::default(),
            serving: Runners::default(),
            timer: None,
            failure: None,
        }
    }

    /// Runs `probes` from now to the end, and `serving` once `startup` is done.
    pub(super) async fn run(
        mut self,
        probes: Vec<Box<dyn RoleRunner>>,
        serving: Vec<Box<dyn RoleRunner>>,
        startup: impl Future<Output = Result<(), RunError>> + Send + 'static,
    ) -> Result<(), RunError> {
        spawn(&mut self.probes, probes, &self.stage);
        let mut pending = Some(Pending { startup: Box::pin(startup), runners: serving });
        loop {
            let Some(input) = self.next_input(&mut pending).await else { continue };
            let Some(step) = self.lifecycle.on(input) else { continue };
            match step {
                Step::Serve => tracing::info!("ready"),
                Step::Announce => self.set_timer(self.settings.shutdown_delay),
                Step::Drain => {
                    pending = None;
                    tracing::info!("draining");
                    self.serving.shutdown().start_drain();
                    self.set_timer(self.settings.shutdown_grace);
                }
                Step::Stop => {
                    tracing::warn!("the grace period is over; stopping what still runs");
                    self.serving.shutdown().start_stop();
                    self.set_timer(self.settings.stop_deadline);
                }
                Step::End => return self.end().await,
                Step::Abandon => return Err(self.failure.unwrap_or(RunError::StoppedAtOnce)),
            }
            let phase = self.lifecycle.phase();
            self.status().change(|snapshot| {
                snapshot.phase = phase;
                snapshot.started |= phase == Phase::Ready;
            });
        }
    }

    /// Waits until something happens; `None` when it is of no weight.
    async fn next_input(&mut self, pending: &mut Option<Pending>) -> Option<Input> {
        if self.lifecycle.phase() == Phase::Draining && self.serving.is_empty() {
            return Some(Input::RunnersEnded);
        }
        let starting = self.lifecycle.phase() == Phase::Starting;
        let status = self.status().clone();
        tokio::select! {
            biased;
            () = self.signals.next() => {
                tracing::info!("asked to end");
                Some(Input::Signal)
            }
            ended = self.serving.next() => {
                let asked = self.serving.shutdown().is_draining();
                self.note_end(ended, asked)
            }
            ended = self.probes.next() => self.note_end(ended, false),
            result = started(pending) => self.note_start(result, pending.take()),
            () = status.wait_for(Snapshot::all_serve), if starting => Some(Input::Started),
            () = over(&mut self.timer) => {
                self.timer = None;
                Some(Input::TimeUp)
            }
        }
    }

    fn note_start(&mut self, result: Result<(), RunError>, pending: Option<Pending>) -> Option<Input> {
        match result {
            Ok(()) => {
                spawn(
                    &mut self.serving,
                    pending.map(|pending| pending.runners).unwrap_or_default(),
                    &self.stage,
                );
                self.status().change(|snapshot| snapshot.complete = true);
                None
            }
            Err(error) => Some(self.fail(error)),
        }
    }

    fn note_end(&mut self, ended: Ended, asked: bool) -> Option<Input> {
        let runner = ended.runner;
        match ended.result {
            Ok(()) if asked => None,
            Ok(()) => Some(self.fail(RunError::RunnerEnded { runner })),
            Err(source) => Some(self.fail(RunError::RunnerFailed { runner, source })),
        }
    }

    /// Keeps the first failure: it is the cause, and the caller reports it.
    fn fail(&mut self, error: RunError) -> Input {
        self.failure.get_or_insert(error);
        Input::Failed
    }

    async fn end(mut self) -> Result<(), RunError> {
        let rest = async {
            // Whoever outlived the last deadline must not meet modules that have stopped.
            self.serving.leave_behind().await;
            self.modules.stop().await;
            self.probes.finish(PROBES_PATIENCE).await;
        };
        tokio::select! {
            () = rest => {}
            // What failed first says more than who ran out of patience.
            () = self.signals.next() => return Err(self.failure.unwrap_or(RunError::StoppedAtOnce)),
        }
        self.stage.operations().status().change(|snapshot| snapshot.phase = Phase::Stopped);
        tracing::info!("stopped");
        self.failure.map_or(Ok(()), Err)
    }

    fn set_timer(&mut self, duration: Duration) {
        self.timer = Some(Box::pin(tokio::time::sleep(duration)));
    }

    fn status(&self) -> &Status {
        self.stage.operations().status()
    }
}

fn spawn(runners: &mut Runners, added: Vec<Box<dyn RoleRunner>>, stage: &Stage) {
    for runner in added {
        let context = stage.context(runner.name(), runners.shutdown());
        runners.spawn(runner, context);
    }
}

async fn started(pending: &mut Option<Pending>) -> Result<(), RunError> {
    match pending {
        Some(pending) => pending.startup.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn over(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.await,
        None => std::future::pending().await,
    }
}
