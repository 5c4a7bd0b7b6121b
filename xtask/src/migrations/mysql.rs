//! What is dangerous on MariaDB and MySQL.

use super::Slip;
use super::file::{File, Statement, skip};
use super::words::Word;

const LATER: &str = "add the new one, write both, fill it in with a job, read the new one, and drop the old one in a later \
    release; if no version that still runs can bear it, put `-- dolmen: breaks older binaries` at the top as well";

/// The rules, and how to write it instead.
pub(super) const RULES: [(&str, &str); 9] = [
    (
        "charset",
        "end it with `default character set utf8mb4` and a collation, as the other tables do: a server's default may take \
         `A` for `á`",
    ),
    ("drop-column", LATER),
    ("drop-table", LATER),
    ("lock-tables", "leave it out: it commits what was before it, and everybody waits"),
    ("required-column", "let it be null or give it a default: the older version inserts rows without it"),
    ("rename", LATER),
    (
        "several-changes",
        "one change of a table that is in use per file: each is committed by itself, and a failure leaves half",
    ),
    (
        "timestamp-column",
        "use `datetime(6)`: a `timestamp` ends in 2038 and changes with the session's time zone",
    ),
    ("type-change", LATER),
];

pub(super) fn check(file: &File) -> Vec<Slip> {
    let mut slips: Vec<Slip> =
        file.statements.iter().flat_map(|statement| of_statement(file, statement)).collect();
    let in_use = |statement: &&Statement| {
        let is_rename = statement.after(&["rename", "table"]).is_some();
        is_rename || statement.table().is_some_and(|table| !file.makes(table))
    };
    let more = file.statements.iter().filter(in_use).skip(1);
    slips.extend(more.map(|statement| {
        slip(
            "several-changes",
            statement.line(),
            "it is not the first change of a table that is in use".to_owned(),
        )
    }));
    slips.sort_by_key(|slip| slip.line);
    slips
}

fn slip(rule: &'static str, line: usize, what: String) -> Slip {
    let instead = RULES.into_iter().find(|(known, _)| *known == rule).map_or("", |(_, instead)| instead);
    Slip { line, rule, what, instead }
}

fn of_statement(file: &File, statement: &Statement) -> Vec<Slip> {
    let line = statement.line();
    if statement.after(&["lock", "table"]).or_else(|| statement.after(&["lock", "tables"])).is_some() {
        return vec![slip("lock-tables", line, "it locks tables".to_owned())];
    }
    if statement.after(&["rename", "table"]).is_some() {
        return vec![slip("rename", line, "it renames a table".to_owned())];
    }
    if let Some(rest) = statement.after(&["create", "table"]) {
        return new_table(rest, line);
    }
    if statement.table().is_some_and(|table| file.makes(table)) {
        return Vec::new();
    }
    if statement.after(&["drop", "table"]).is_some() {
        return vec![slip("drop-table", line, "it drops a table".to_owned())];
    }
    let Some(rest) = statement.after(&["alter", "table"]) else { return Vec::new() };
    // The name comes first.
    let actions = skip(rest, &["if", "exists"]).get(1..).unwrap_or_default();
    split(actions).into_iter().flat_map(of_action).collect()
}

fn new_table(rest: &[Word], line: usize) -> Vec<Slip> {
    let mut slips = Vec::new();
    let has = |text: &str| rest.iter().any(|word| word.text == text);
    if !((has("charset") || (has("character") && has("set"))) && has("collate")) {
        slips.push(slip(
            "charset",
            line,
            "the table names no character set and collation of its own".to_owned(),
        ));
    }
    let inside = rest.iter().position(|word| word.text == "(").and_then(|open| rest.get(open + 1..));
    for column in split(inside.unwrap_or_default()) {
        slips.extend(timestamp(column));
    }
    slips
}

/// A column whose type is `timestamp`.
fn timestamp(column: &[Word]) -> Option<Slip> {
    let (name, kind) = (column.first()?, column.get(1)?);
    (kind.text == "timestamp")
        .then(|| slip("timestamp-column", kind.line, format!("{} is a timestamp", name.text)))
}

/// One of the changes of an `alter table`.
fn of_action(words: &[Word]) -> Vec<Slip> {
    let Some((verb, rest)) = words.split_first() else { return Vec::new() };
    let column = skip(skip(rest, &["column"]), &["if", "exists"]);
    let second = rest.first().map_or("", |word| word.text.as_str());
    let is_column = !matches!(
        second,
        "index"
            | "key"
            | "primary"
            | "foreign"
            | "constraint"
            | "check"
            | "unique"
            | "fulltext"
            | "spatial"
            | "partition"
            | "system"
            | "period"
    );
    let name = || column.first().map_or_else(String::new, |word| word.text.clone());
    let found = |rule, what: String| vec![slip(rule, verb.line, what)];
    match verb.text.as_str() {
        "modify" | "change" => found("type-change", format!("it changes the type of {}", name())),
        "rename" => found("rename", "it renames what the older version uses".to_owned()),
        "drop" if is_column && second != "default" => found("drop-column", format!("it drops {}", name())),
        "add" if is_column => {
            let column = skip(column, &["if", "not", "exists"]);
            let mut slips: Vec<Slip> = timestamp(column).into_iter().collect();
            let has = |text: &str| column.iter().any(|word| word.text == text);
            let not_null =
                column.iter().zip(column.iter().skip(1)).any(|(a, b)| a.text == "not" && b.text == "null");
            if not_null && !has("default") && !has("as") && !has("auto_increment") {
                slips.push(slip(
                    "required-column",
                    verb.line,
                    format!("{} is not null and has no default", name()),
                ));
            }
            slips
        }
        _ => Vec::new(),
    }
}

/// Cuts at the commas that stand outside of parentheses; ends where the list does.
fn split(words: &[Word]) -> Vec<&[Word]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, word) in words.iter().enumerate() {
        match word.text.as_str() {
            "(" => depth += 1,
            ")" if depth == 0 => {
                parts.push(words.get(start..at).unwrap_or_default());
                return parts;
            }
            ")" => depth -= 1,
            "," if depth == 0 => {
                parts.push(words.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(words.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::file::Dialect;

    fn slips(text: &str) -> Vec<(&'static str, usize)> {
        let file = File::new("0002_x.sql".to_owned(), Dialect::MySql, text.to_owned());
        check(&file).into_iter().map(|slip| (slip.rule, slip.line)).collect()
    }

    const END: &str = "default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */";

    #[test]
    fn each_rule_sees_what_is_dangerous_and_lets_pass_what_is_not() {
        let table: [(&str, &str, &str); 13] = [
            ("charset", "create table a (b int)", ""),
            ("charset", "create table a (b int) collate utf8mb4_bin", ""),
            ("drop-column", "alter table a add c int, drop column b", "alter table a drop index b"),
            ("drop-column", "alter table a drop b", "alter table a drop foreign key b"),
            ("drop-table", "drop table if exists a", "drop view a"),
            ("lock-tables", "lock tables a write", "insert into a (b) values ('lock tables')"),
            ("rename", "rename table a to b", "alter table a add index b (c)"),
            ("rename", "alter table a rename column b to c", "alter table a alter column b set default 1"),
            (
                "required-column",
                "alter table a add column b int not null",
                "alter table a add column b int not null default 1",
            ),
            (
                "required-column",
                "alter table `a` add `b` varchar(5) not null, add c int",
                "alter table a add b int as (c) stored not null",
            ),
            ("timestamp-column", "alter table a add b timestamp", "alter table a add b datetime(6)"),
            ("type-change", "alter table a modify column b bigint", "alter table a add column modify bigint"),
            ("type-change", "alter table a change b b bigint", "alter table a add unique key change_me (b)"),
        ];
        for (rule, bad, good) in table {
            assert_eq!(slips(&format!("-- Why.\n{bad};")), [(rule, 2)], "{bad}");
            assert_eq!(slips(&format!("{good};")), [], "{good}");
        }
        assert_eq!(
            slips(&format!("create table a (b timestamp(6) null, c enum('timestamp')) {END};")),
            [("timestamp-column", 1)]
        );
        assert_eq!(slips(&format!("create table a (b datetime(6), key a_b (b)) {END};")), []);
    }

    #[test]
    fn a_second_change_of_what_is_in_use_could_be_left_undone() {
        let text = "alter table a add b int;\nupdate a set b = 1;\ncreate index a_b on a (b);\nalter table c add d int;";
        assert_eq!(slips(text), [("several-changes", 3), ("several-changes", 4)]);
    }

    #[test]
    fn a_table_of_the_same_file_is_nobodys_yet() {
        let text = format!(
            "create table a (b int) {END};\ncreate index a_b on a (b);\nalter table a rename column b to c, drop d;\ndrop table a;"
        );
        assert_eq!(slips(&text), []);
    }
}
