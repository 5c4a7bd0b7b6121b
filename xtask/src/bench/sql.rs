//! The business transaction: the program does all rounds, and prints the ratios.

use std::path::Path;
use std::process::Command;

use super::Options;
use super::program::on_new_database;
use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::process;

pub(super) fn run(bench: &Path, server: &Server, options: &Options) -> Outcome<()> {
    println!("bench sql on {}:", server.name());
    let succeeded = on_new_database(server, |url| {
        let mut command = Command::new(bench);
        command.args(["sql", url, "--rounds", &options.rounds.to_string()]);
        command.args(["--seconds", &options.seconds.to_string()]);
        command.args(["--writers", &options.writers.to_string()]);
        process::succeeds(&mut command)
    });
    if succeeded? {
        return Ok(());
    }
    Err(Failure::new(format!("the bench on {} failed", server.name())))
}
