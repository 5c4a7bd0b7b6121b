//! The program on its own, without anybody who kills it.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) -> String {
    let url = format!("sqlite:{}", folder.join("test.db").display());
    let output = Command::new(env!("CARGO_BIN_EXE_chaos")).arg(url).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_enqueued_stands_in_the_journal_and_waits_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    run(folder.path(), &["migrate"]);
    run(folder.path(), &["enqueue", journal.to_str().unwrap(), "205"]);
    let lines = std::fs::read_to_string(journal).unwrap();
    assert_eq!(lines.lines().filter(|line| line.starts_with("enqueued ")).count(), 205);
    assert!(run(folder.path(), &["jobs"]).starts_with("ready 205\n"));
    assert_eq!(run(folder.path(), &["effects"]), "");
    assert_eq!(run(folder.path(), &["retry"]), "0\n");
}

#[test]
fn the_twenty_migrations_are_told_and_leave_their_marks() {
    let folder = tempfile::tempdir().unwrap();
    let listed = run(folder.path(), &["list-steps"]);
    let migrations: std::collections::BTreeSet<_> =
        listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(migrations.len(), 20);
    run(folder.path(), &["steps"]);
    let schema = run(folder.path(), &["schema"]);
    assert_eq!(schema.lines().filter(|line| line.starts_with("migration ")).count(), 20);
    assert!(schema.contains("note 4 c\n") && schema.contains("steps_person_name"), "{schema}");
}
