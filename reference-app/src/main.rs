//! Reads the configuration, opens the platform, runs the application.

use std::process::ExitCode;

use clap::Parser;
use dolmen::config::{Env, SettingValue};
use dolmen::{LogFilter, LogSettings, OsSignals, Role, Roles, RunError, init_logging};
use dolmen_reference_app::command::{Command, CommandLine};
use dolmen_reference_app::config::Config;
use dolmen_reference_app::failure::Failure;
use dolmen_reference_app::platform::Platform;
use dolmen_reference_app::{demo, modules, print, welcome};

#[tokio::main]
async fn main() -> ExitCode {
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    match run(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    let mut env = Env::from_process(Env::DEFAULT_PREFIX);
    let config = Config::load(&mut env);
    if command == Command::Config {
        print::out(&print::settings(env.settings()));
    }
    let mut config = env.finish_with(config)?;
    let quiet = command == Command::Demo && config.log == LogSettings::new(config.app.environment);
    if quiet {
        // The tour is what there is to read; `RUST_LOG` still says otherwise.
        config.log.filter = LogFilter::parse("warn").unwrap_or(config.log.filter);
    }
    init_logging(&config.log);
    for warning in env.warnings() {
        tracing::warn!("{warning}");
    }
    if command == Command::Migrate {
        config.app.roles = Roles::of(&[Role::Migrate]);
    }
    match command {
        Command::Config => Ok(()),
        Command::Demo => demo::play(config).await,
        Command::Modules => print::modules(&modules::wire(&config, &Platform::open(&config).await?).app),
        Command::App(command) => {
            let platform = Platform::open(&config).await?;
            let answer = command.run(&modules::wire(&config, &platform).app, platform.audit.clone());
            answer.await.map(|text| print::out(&text)).map_err(Failure::from)
        }
        Command::Migrate | Command::Serve => {
            // First of all, so that a signal during a slow start ends it in good order.
            let signals = OsSignals::new().map_err(RunError::Signals)?;
            let platform = Platform::open(&config).await?;
            let wired = modules::wire(&config, &platform);
            if command == Command::Serve && !config.app.environment.is_production() {
                welcome::print_when_listening(&wired);
            }
            Ok(wired.app.run_with(config.app.roles.clone(), signals).await?)
        }
    }
}
