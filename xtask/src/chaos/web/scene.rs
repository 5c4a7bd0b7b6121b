//! The reference app's web process, on a database of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::chaos::patience::until;
use crate::chaos::programs::Programs;
use crate::chaos::verdict::{Figures, Verdict};
use crate::chaos::victim::Victim;
use crate::database;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;

use super::http::Server;

/// How a client is let wait for an answer, unless a fault says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What a scene is made of.
pub(in crate::chaos) struct Setting<'a> {
    /// The fault, as it is called at the terminal.
    pub(in crate::chaos) fault: &'static str,
    pub(in crate::chaos) programs: &'a Programs,
    pub(in crate::chaos) server: &'a database::Server,
    /// The port by which the web process reaches the server, when something stands between them.
    pub(in crate::chaos) by_port: Option<u16>,
    /// Where the app keeps its files and its log; a folder of the scene's own when there is none.
    pub(in crate::chaos) data: Option<PathBuf>,
    /// The guard that the program leaves out.
    pub(in crate::chaos) sabotage: Option<&'a str>,
    pub(in crate::chaos) seed: u64,
    /// Further variables of the web process.
    pub(in crate::chaos) variables: Vec<(&'static str, String)>,
    pub(in crate::chaos) patience: Duration,
}

impl<'a> Setting<'a> {
    pub(in crate::chaos) fn new(
        fault: &'static str,
        programs: &'a Programs,
        server: &'a database::Server,
        seed: u64,
    ) -> Self {
        Self {
            fault,
            programs,
            server,
            by_port: None,
            data: None,
            sabotage: None,
            seed,
            variables: Vec::new(),
            patience: PATIENCE,
        }
    }
}

pub(in crate::chaos) struct Scene {
    fault: &'static str,
    seed: u64,
    chaos: PathBuf,
    database_server: database::Server,
    database: String,
    url: String,
    folder: TempDir,
    log: PathBuf,
    /// Starts the web process.
    command: Box<dyn Fn() -> Command>,
    pub(in crate::chaos) server: Server,
    /// Where probes are answered.
    pub(in crate::chaos) management: Server,
    process: Victim,
}

impl Scene {
    /// Makes a database and starts the web process.
    pub(in crate::chaos) fn set(setting: Setting<'_>) -> Outcome<Self> {
        let Setting { fault, programs, server, seed, patience, .. } = setting;
        let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
        let database = format!("dolmen_chaos_web_{}_{seed}", std::process::id());
        let url = server.new_database(setting.data.as_deref().unwrap_or(folder.path()), &database)?;
        let app_url =
            setting.by_port.map_or_else(|| Ok(url.clone()), |port| database::at_port(&url, port))?;
        let database_url = app_url.clone();
        let data = setting.data.clone().unwrap_or_else(|| folder.path().to_owned());
        let (port, management) = (process::free_port()?, process::free_port()?);
        let mut variables = vec![
            ("APP_DATA_DIR", data.to_string_lossy().into_owned()),
            ("DATABASE_URL", app_url.clone()),
            ("PORT", port.to_string()),
            ("MANAGEMENT_PORT", management.to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        variables.extend(setting.variables);
        let log = data.join("web.log");
        let (place, reference_app) = (folder.path().to_owned(), programs.reference_app.clone());
        let mut migrate = Command::new(&reference_app);
        migrate.arg("migrate").current_dir(&place).envs(variables.clone()).env("APP_ROLE", "migrate");
        process::output_of(&mut migrate)?;
        let (chaos, sabotage) = (programs.chaos.clone(), setting.sabotage.map(str::to_owned));
        let command = Box::new(move || {
            let mut command = match &sabotage {
                None => Command::new(&reference_app),
                Some(sabotage) => {
                    let mut command = Command::new(&chaos);
                    command.args([&app_url, "serve", sabotage]);
                    command
                }
            };
            command.current_dir(&place).envs(variables.clone()).env("APP_ROLE", "web");
            command
        });
        let process = Victim::start(command(), &log)?;
        let mut scene = Self {
            fault,
            seed,
            chaos: programs.chaos.clone(),
            database_server: server.clone(),
            database,
            url: database_url,
            folder,
            log,
            command,
            server: Server { port, patience },
            management: Server { port: management, patience },
            process,
        };
        until(READY_WITHIN, "the web process to be ready", || {
            scene.must_run()?;
            Ok((scene.management.probe("/readyz") == Some(200)).then_some(()))
        })?;
        Ok(scene)
    }

    /// Fails when the process has ended by itself.
    pub(in crate::chaos) fn must_run(&mut self) -> Outcome<()> {
        self.process
            .must_run()
            .map_err(|failure| Failure::new(format!("{failure}; see {}", self.log.display())))
    }

    /// Kills the web process and starts it again.
    pub(in crate::chaos) fn kill(&mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process = Victim::start((self.command)(), &self.log)?;
        Ok(())
    }

    /// SIGTERM; it ends well.
    pub(in crate::chaos) fn end(&mut self) -> Outcome<()> {
        let status = self.process.end()?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("SIGTERM should end the web process with exit 0: {status}")))
    }

    /// The payloads of the jobs that wait to send a mail: one per event that was published.
    pub(in crate::chaos) fn payloads(&self) -> Outcome<String> {
        let arguments = ["payloads", "notifications.send_invoice_mail"];
        process::output_of(Command::new(&self.chaos).arg(&self.url).args(arguments))
    }

    /// Leaves the database to a server that ends with the run.
    pub(in crate::chaos) fn leave(self) {
        drop(self.process);
    }

    /// Reports what was played here. What went wrong, unless a guard was left out, is kept for somebody to look at.
    pub(in crate::chaos) fn end_with(
        self,
        played: Outcome<impl Figures>,
        sabotage: Option<&str>,
    ) -> Outcome<Verdict> {
        let (fault, on, seed) = (self.fault, self.database_server.name(), self.seed);
        match played {
            Ok(figures) => {
                let verdict = figures.report(fault, on, sabotage);
                self.clear(verdict.is_green() || sabotage.is_some())?;
                Ok(verdict)
            }
            Err(failure) => {
                self.clear(false)?;
                Err(Failure::new(format!("{fault} on {on}: {failure}; seed {seed}")))
            }
        }
    }

    /// Removes everything, or keeps it for somebody to look at.
    pub(in crate::chaos) fn clear(self, remove: bool) -> Outcome<()> {
        drop(self.process);
        if remove {
            return self.database_server.drop_database(&self.database);
        }
        let log = self.folder.path().join("web.log");
        if log != self.log {
            std::fs::copy(&self.log, log).while_doing("keep the log")?;
        }
        println!(
            "{}:   the log is kept: {}; database: {}",
            self.fault,
            self.folder.keep().display(),
            self.url
        );
        Ok(())
    }
}
