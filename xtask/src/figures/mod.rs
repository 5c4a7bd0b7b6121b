//! `cargo xtask figures`: what the reference app costs to build, to start and to keep running.

mod build;
mod fresh_copy;
mod machine;
mod program;

use std::time::Duration;

use crate::failure::Outcome;
use crate::workspace::Workspace;

use self::build::Build;
use self::fresh_copy::FreshCopy;
use self::program::Start;

const STARTS: usize = 5;

/// Builds a fresh copy of the repository in several ways, starts the program, and prints the figures.
pub(crate) fn run(workspace: &Workspace, with_release: bool) -> Outcome<()> {
    println!("machine: {}", machine::description());
    let copy = FreshCopy::of(workspace)?;
    let cold = copy.build("default", &[])?;
    println!("cold build, default features:  {}", told(&cold));
    let first = first_start(&cold)?;
    println!("cold clone to first answer:    {:.1} s", (cold.time + first.ready).as_secs_f32());
    copy.change_one_line("reference-app/modules/invoices/src/lib.rs")?;
    println!("warm rebuild, invoices:        {}", told(&copy.build("default", &[])?));
    println!(
        "cold build, production:        {}",
        told(&copy.build("production", &["--features", "production"])?)
    );
    print_program("development build", &cold)?;
    if with_release {
        let release = copy.build("release", &["--release", "--features", "production"])?;
        println!("cold release, production:      {}", told(&release));
        print_program("release, production", &release)?;
    }
    Ok(())
}

fn told(build: &Build) -> String {
    let (wall, processor) = (build.time.as_secs_f32(), build.processor.as_secs_f32());
    format!("{wall:.1} s ({processor:.0} s of processor), {} crates, {}", build.crates, mebibytes(build.size))
}

fn first_start(build: &Build) -> Outcome<Start> {
    Start::measure(&build.program, tempfile::tempdir()?.path())
}

/// Starts the program on an empty folder, then several times on the same one.
fn print_program(name: &str, build: &Build) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let first = Start::measure(&build.program, folder.path())?;
    let mut later =
        (0..STARTS).map(|_| Start::measure(&build.program, folder.path())).collect::<Outcome<Vec<_>>>()?;
    later.sort_by_key(|start| start.ready);
    println!("{name}:");
    println!("  first start to ready:        {}", milliseconds(first.ready));
    if let Some(median) = later.get(STARTS / 2) {
        println!("  start to ready, median of {STARTS}:  {}", milliseconds(median.ready));
        println!("  idle memory (RSS):           {}", mebibytes(median.memory));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Bytes in MiB with one digit, without a float.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_with_one_digit() {
        assert_eq!(mebibytes(1024 * 1024 * 3 / 2), "1.5 MiB");
        assert_eq!(mebibytes(0), "0.0 MiB");
    }
}
