//! Which tables a module's migrations create.

use std::collections::BTreeSet;

use dolmen_ports::{Dialect, MigrationSet};

/// The names after `create table`, in order of the alphabet.
pub(super) fn tables(set: &MigrationSet) -> Vec<String> {
    let mut names = BTreeSet::new();
    for migration in set.migrations {
        let sql = without_comments(migration.sql(Dialect::Sqlite)).to_ascii_lowercase();
        let mut words = sql.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if word != "table" {
                continue;
            }
            let name = words.by_ref().find(|word| !matches!(*word, "if" | "not" | "exists"));
            names.extend(name.map(|name| name.trim_matches(['"', '`', ';']).to_owned()));
        }
    }
    names.into_iter().collect()
}

fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use dolmen_ports::{Migration, ModuleName};

    use super::*;

    #[test]
    fn names_follow_create_table() {
        const SQL: &str = "-- the table of notes\nCREATE TABLE notes_notes(id text);\n\
            create table if not exists notes_tags (id text); alter table notes_tags add column a text;";
        const SET: MigrationSet =
            MigrationSet::new(ModuleName::new("notes"), &[Migration::new("0001_notes", SQL, SQL)]);
        assert_eq!(tables(&SET), ["notes_notes", "notes_tags"]);
    }
}
