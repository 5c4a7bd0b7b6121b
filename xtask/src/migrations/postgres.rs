//! What is dangerous on PostgreSQL, as squawk sees it; the advice fits our runner.

use squawk_linter::{Linter, LinterSettings, Rule};
use squawk_syntax::SourceFile;

use super::Slip;
use super::file::File;

const LATER: &str = "add the new one, write both, fill it in with a job, read the new one, and drop the old one in a later \
    release; if no version that still runs can bear it, put `-- dolmen: breaks older binaries` at the top as well";
const CONCURRENTLY: &str = "put `-- dolmen: no transaction` at the top of the file, and write `concurrently`";
const NOT_VALID: &str = "add it with `not valid`, and write `validate constraint` in the next migration";
const NO_TRANSACTION: &str = "leave it out: the runner begins and commits";

/// The rules, and how to write it instead. Limits of locks are not among them: the runner sets them.
pub(super) const RULES: [(&str, &str); 22] = [
    ("adding-field-with-default", "use a constant default, or fill the column in with a job"),
    ("adding-foreign-key-constraint", NOT_VALID),
    (
        "adding-not-nullable-field",
        "add `check (c is not null) not valid`, validate it in the next migration, then set it",
    ),
    (
        "adding-required-field",
        "let it be null or give it a default: the older version inserts rows without it",
    ),
    ("adding-serial-primary-key-field", "build a unique index concurrently, and add the key `using index`"),
    ("ban-drop-column", LATER),
    ("ban-drop-database", "leave it out: a migration changes the tables of its module"),
    ("ban-drop-table", LATER),
    ("ban-truncate-cascade", "name every table that is to be emptied"),
    ("ban-uncommitted-transaction", NO_TRANSACTION),
    ("changing-column-type", LATER),
    (CONCURRENT, "put `-- dolmen: no transaction` at the top of the file"),
    ("constraint-missing-not-valid", NOT_VALID),
    (
        "disallowed-unique-constraint",
        "build a unique index concurrently, and add the constraint `using index`",
    ),
    ("identifier-too-long", "PostgreSQL cuts names after 63 bytes: shorten it"),
    ("renaming-column", LATER),
    ("renaming-table", LATER),
    ("require-concurrent-index-creation", CONCURRENTLY),
    ("require-concurrent-index-deletion", CONCURRENTLY),
    ("require-concurrent-partition-detach", CONCURRENTLY),
    ("require-concurrent-reindex", CONCURRENTLY),
    ("transaction-nesting", NO_TRANSACTION),
];

/// Our own: squawk passes it over in a file with one statement.
const CONCURRENT: &str = "concurrently-in-transaction";

/// What is not about a table that others use.
const OF_ANY_TABLE: [&str; 3] = ["ban-uncommitted-transaction", "identifier-too-long", "transaction-nesting"];

pub(super) fn check(file: &File) -> Vec<Slip> {
    let parsed = SourceFile::parse(&file.text);
    let line_at = |offset: usize| 1 + file.text.get(..offset).unwrap_or_default().matches('\n').count();
    if let Some(error) = parsed.errors().first() {
        let line = line_at(error.range().start().into());
        let what = error.message().to_owned();
        return vec![Slip {
            line,
            rule: "syntax",
            what,
            instead: "mend it: PostgreSQL would not take it either",
        }];
    }
    let mut linter = Linter::from(RULES.iter().filter_map(|(rule, _)| Rule::try_from(*rule).ok()));
    linter.settings = LinterSettings {
        assume_in_transaction: !file.is_marked("no transaction"),
        ..LinterSettings::default()
    };
    let violations = linter.lint(&parsed, &file.text).into_iter();
    let mut slips: Vec<Slip> = violations
        .filter_map(|violation| {
            let (name, line) = (violation.code.to_string(), line_at(violation.text_range.start().into()));
            let (rule, instead) = RULES.into_iter().find(|(rule, _)| *rule == name)?;
            let table = file.statement_at(line).and_then(|statement| statement.table());
            // Nobody waits for a table that this file makes, and nobody reads it yet.
            let is_new = table.is_some_and(|table| file.makes(table)) && !OF_ANY_TABLE.contains(&rule);
            (!is_new).then(|| Slip { line, rule, what: one_line(&violation.message), instead })
        })
        .collect();
    slips.extend(concurrent_in_transaction(file));
    slips.sort_by_key(|slip| slip.line);
    slips
}

/// What PostgreSQL refuses in a transaction, in a file that runs in one.
fn concurrent_in_transaction(file: &File) -> Vec<Slip> {
    if file.is_marked("no transaction") {
        return Vec::new();
    }
    let words = file.statements.iter().flat_map(|statement| &statement.words);
    words
        .filter(|word| word.text == "concurrently")
        .filter_map(|word| {
            let (rule, instead) = RULES.into_iter().find(|(rule, _)| *rule == CONCURRENT)?;
            Some(Slip {
                line: word.line,
                rule,
                what: "PostgreSQL refuses it in a transaction".to_owned(),
                instead,
            })
        })
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::file::Dialect;

    fn slips(text: &str) -> Vec<(&'static str, usize)> {
        let file = File::new("0002_x.sql".to_owned(), Dialect::Postgres, text.to_owned());
        check(&file).into_iter().map(|slip| (slip.rule, slip.line)).collect()
    }

    #[test]
    fn each_rule_has_a_name_that_squawk_knows() {
        for (rule, _) in RULES.into_iter().filter(|(rule, _)| *rule != CONCURRENT) {
            assert!(Rule::try_from(rule).is_ok_and(|known| known.to_string() == rule), "{rule}");
        }
    }

    #[test]
    fn each_rule_sees_what_is_dangerous_and_lets_pass_what_is_not() {
        let table = [
            (
                "adding-field-with-default",
                "alter table a add column b uuid default gen_random_uuid()",
                "alter table a add column b bigint default 1",
            ),
            (
                "adding-foreign-key-constraint",
                "alter table a add constraint f foreign key (b) references c (d)",
                "alter table a add constraint f foreign key (b) references c (d) not valid",
            ),
            (
                "adding-not-nullable-field",
                "alter table a alter column b set not null",
                "alter table a alter column b set default 1",
            ),
            (
                "adding-required-field",
                "alter table a add column b bigint not null",
                "alter table a add column b bigint not null default 1",
            ),
            (
                "adding-serial-primary-key-field",
                "alter table a add primary key (b)",
                "alter table a add primary key using index c",
            ),
            ("ban-drop-column", "alter table a drop column b", "alter table a add column b bigint"),
            ("ban-drop-database", "drop database a", "comment on table a is 'b'"),
            ("ban-drop-table", "drop table a", "create table a (b bigint)"),
            ("ban-truncate-cascade", "truncate a cascade", "truncate a"),
            ("ban-uncommitted-transaction", "begin; update a set b = 1", "update a set b = 1"),
            (
                "changing-column-type",
                "alter table a alter column b type bigint",
                "alter table a alter column b set statistics 5",
            ),
            (
                "constraint-missing-not-valid",
                "alter table a add constraint c check (b > 0)",
                "alter table a add constraint c check (b > 0) not valid",
            ),
            (
                "disallowed-unique-constraint",
                "alter table a add constraint c unique (b)",
                "alter table a add constraint c unique using index d",
            ),
            (
                "identifier-too-long",
                "create table a_name_that_is_longer_than_postgresql_lets_names_be_so_that_it_is_cut (b bigint)",
                "create table a_name_that_is_short_enough (b bigint)",
            ),
            ("renaming-column", "alter table a rename column b to c", "alter table a add column c bigint"),
            ("renaming-table", "alter table a rename to b", "create table b (c bigint)"),
            (
                "require-concurrent-index-creation",
                "create index a_b on a (b)",
                "create table a (b bigint); create index a_b on a (b)",
            ),
            ("require-concurrent-index-deletion", "drop index a_b", "create table a (b bigint)"),
            (
                "require-concurrent-partition-detach",
                "alter table a detach partition b",
                "alter table a add column b bigint",
            ),
            ("require-concurrent-reindex", "reindex index a_b", "analyze a"),
            ("transaction-nesting", "commit", "update a set b = 1"),
        ];
        for (rule, bad, good) in table {
            let found = slips(&format!("-- Why.\n{bad};"));
            assert!(found.contains(&(rule, 2)), "{rule}: {bad}: {found:?}");
            assert_eq!(slips(&format!("{good};")), [], "{rule}: {good}");
        }
        for (rule, _) in RULES {
            let is_tested = table.iter().any(|(tested, ..)| *tested == rule);
            assert!(is_tested || rule == CONCURRENT, "{rule}");
        }
        for statement in ["create index concurrently a_b on a (b);", "drop index concurrently a_b;"] {
            assert_eq!(slips(statement), [(CONCURRENT, 1)]);
            assert_eq!(slips(&format!("-- dolmen: no transaction\n{statement}")), []);
        }
    }

    #[test]
    fn a_table_of_the_same_file_is_nobodys_yet() {
        let text = "create table a (b bigint);\nalter table a rename column b to c;\nalter table a add d bigint not null;\n\
                    drop table a;\nalter table other drop column e;";
        assert_eq!(slips(text), [("ban-drop-column", 5)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        assert_eq!(slips("create table a (b bigint);\ncreat table c;"), [("syntax", 2)]);
    }
}
