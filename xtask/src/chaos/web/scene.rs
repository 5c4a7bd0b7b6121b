//! The stage of F2: the reference app's web process, on a database of its own.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::chaos::database;
use crate::chaos::programs::Programs;
use crate::chaos::victim::Victim;
use crate::failure::{Failure, Outcome};
use crate::process;

use super::http::Server;

pub(super) struct Scene {
    chaos: PathBuf,
    reference_app: PathBuf,
    database_server: database::Server,
    database: String,
    url: String,
    sabotage: Option<String>,
    folder: TempDir,
    management: u16,
    pub(super) server: Server,
    process: Victim,
}

impl Scene {
    /// Makes a database and starts the web process.
    pub(super) fn set(
        programs: &Programs,
        server: &database::Server,
        sabotage: Option<&str>,
        seed: u64,
    ) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("dolmen-chaos-").tempdir()?;
        let database = format!("dolmen_chaos_web_{}_{seed}", std::process::id());
        let url = server.new_database(folder.path(), &database)?;
        let (port, management) = (process::free_port()?, process::free_port()?);
        let environment = Environment { url: &url, folder: &folder, port, management };
        process::output_of(environment.of(Command::new(&programs.reference_app), "migrate").arg("migrate"))?;
        let process = start(programs.reference_app.clone(), &programs.chaos, sabotage, &environment)?;
        Ok(Self {
            chaos: programs.chaos.clone(),
            reference_app: programs.reference_app.clone(),
            database_server: server.clone(),
            database,
            sabotage: sabotage.map(str::to_owned),
            management,
            server: Server { port },
            process,
            url,
            folder,
        })
    }

    pub(super) fn must_run(&mut self) -> Outcome<()> {
        self.process.must_run().map_err(|failure| {
            Failure::new(format!("{failure}; see {}", self.folder.path().join("web.log").display()))
        })
    }

    /// Kills the process and starts it again.
    pub(super) fn kill(&mut self) -> Outcome<()> {
        self.process.kill()?;
        let Self { url, folder, management, server, .. } = self;
        let environment = Environment { url, folder, port: server.port, management: *management };
        self.process =
            start(self.reference_app.clone(), &self.chaos, self.sabotage.as_deref(), &environment)?;
        Ok(())
    }

    /// SIGTERM; it ends well.
    pub(super) fn end(&mut self) -> Outcome<()> {
        let status = self.process.end()?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("SIGTERM should end the web process with exit 0: {status}")))
    }

    /// The payloads of the jobs that wait to send a mail: one per event that was published.
    pub(super) fn payloads(&self) -> Outcome<String> {
        let arguments = ["payloads", "notifications.send_invoice_mail"];
        process::output_of(Command::new(&self.chaos).arg(&self.url).args(arguments))
    }

    /// Removes everything, or keeps it for somebody to look at.
    pub(super) fn clear(self, remove: bool) -> Outcome<()> {
        drop(self.process);
        if remove {
            return self.database_server.drop_database(&self.database);
        }
        println!("F2:   log and database are kept: {}, {}", self.folder.keep().display(), self.url);
        Ok(())
    }
}

/// The variables of the process.
struct Environment<'a> {
    url: &'a str,
    folder: &'a TempDir,
    port: u16,
    management: u16,
}

impl Environment<'_> {
    fn of(&self, mut command: Command, role: &str) -> Command {
        command
            .current_dir(self.folder.path())
            .env("APP_ROLE", role)
            .env("APP_DATA_DIR", self.folder.path())
            .env("DATABASE_URL", self.url)
            .env("PORT", self.port.to_string())
            .env("MANAGEMENT_PORT", self.management.to_string())
            .env("RUST_LOG", "warn");
        command
    }
}

fn start(
    reference_app: PathBuf,
    chaos: &PathBuf,
    sabotage: Option<&str>,
    environment: &Environment<'_>,
) -> Outcome<Victim> {
    let command = match sabotage {
        None => Command::new(reference_app),
        Some(sabotage) => {
            let mut command = Command::new(chaos);
            command.args([environment.url, "serve", sabotage]);
            command
        }
    };
    Victim::start(environment.of(command, "web"), &environment.folder.path().join("web.log"))
}
