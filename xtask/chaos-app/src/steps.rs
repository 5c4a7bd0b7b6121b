//! Twenty small migrations, for F4: what a killed run of `migrate` leaves behind, and whether the next run gets to the end.
//!
//! They are written here and not in files, because a run can be told to hang after any of their statements.

use std::path::Path;

use dolmen::ports::{Dialect, Migration};
use dolmen::{MigrationSet, ModuleName};

/// A statement: the same everywhere, or one for each dialect.
enum Words {
    Same(&'static str),
    Each { sqlite: &'static str, postgres: &'static str, mysql: &'static str },
}

use Words::{Each, Same};

impl Words {
    fn of(&self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Same(words), _) => words,
            (Each { sqlite, .. }, Dialect::Sqlite) => sqlite,
            (Each { mysql, .. }, Dialect::MySql) => mysql,
            (Each { postgres, .. }, _) => postgres,
        }
    }
}

/// A migration: its name, the marker of its file for PostgreSQL, its statements.
struct Step(&'static str, &'static str, &'static [Words]);

const APART: &str = "-- dolmen: no transaction\n";
const TOGETHER: &str = "";

const STEPS: [Step; 20] = [
    Step(
        "0001_person",
        TOGETHER,
        &[
            Same("create table steps_person (id integer not null primary key, name varchar(50) not null)"),
            Same("insert into steps_person (id, name) values (1, 'Ada; or -- so')"),
        ],
    ),
    Step(
        "0002_city",
        TOGETHER,
        &[
            Same("create table steps_city (id integer not null primary key, name varchar(50))"),
            Same("create index steps_city_name on steps_city (name)"),
            Same("insert into steps_city (id, name) values (1, 'London')"),
        ],
    ),
    Step(
        "0003_city_of_person",
        TOGETHER,
        &[Same("alter table steps_person add column city integer"), Same("update steps_person set city = 1")],
    ),
    Step(
        "0004_note",
        TOGETHER,
        &[
            Same("create table steps_note (id integer not null primary key, extra integer)"),
            Same("insert into steps_note (id) values (1)"),
            Same("insert into steps_note (id) values (2)"),
        ],
    ),
    Step(
        "0005_body_of_note",
        TOGETHER,
        &[
            Same("alter table steps_note add column body varchar(100)"),
            Same("update steps_note set body = 'a'"),
        ],
    ),
    Step(
        "0006_index_of_note",
        APART,
        &[
            Same("insert into steps_note (id, body) values (3, 'b')"),
            Each {
                sqlite: "create index steps_note_body on steps_note (body)",
                postgres: "create index concurrently steps_note_body on steps_note (body)",
                mysql: "create index steps_note_body on steps_note (body)",
            },
            Same("insert into steps_note (id, body) values (4, 'c')"),
        ],
    ),
    Step("0007_town", TOGETHER, &[Same("alter table steps_city rename to steps_town")]),
    Step(
        "0008_names",
        TOGETHER,
        &[
            Same("create view steps_names as select id, name from steps_person"),
            Same("update steps_person set name = 'Ada'"),
        ],
    ),
    Step(
        "0009_names_with_city",
        TOGETHER,
        &[
            Same("drop view steps_names"),
            Same("create view steps_names as select id, name, city from steps_person"),
        ],
    ),
    Step(
        "0010_unique_names",
        TOGETHER,
        &[
            Same("create unique index steps_person_name on steps_person (name)"),
            Same("insert into steps_person (id, name) values (2, 'Grace')"),
        ],
    ),
    Step(
        "0011_stock",
        TOGETHER,
        &[
            Same("create table steps_stock (id integer not null primary key, amount integer not null)"),
            Same("create index steps_stock_amount on steps_stock (amount)"),
            Same("insert into steps_stock (id, amount) values (1, 7)"),
        ],
    ),
    Step(
        "0012_more_of_stock",
        TOGETHER,
        &[
            Same("alter table steps_stock add column place varchar(20)"),
            Same("alter table steps_stock add column price integer default 1 not null"),
        ],
    ),
    Step(
        "0013_counted",
        TOGETHER,
        &[Same("update steps_stock set amount = amount + 1"), Same("delete from steps_note where id = 2")],
    ),
    Step(
        "0014_indexes_of_stock",
        APART,
        &[
            Each {
                sqlite: "create unique index steps_stock_place on steps_stock (place)",
                postgres: "create unique index concurrently steps_stock_place on steps_stock (place)",
                mysql: "create unique index steps_stock_place on steps_stock (place)",
            },
            Each {
                sqlite: "drop index steps_stock_amount",
                postgres: "drop index concurrently steps_stock_amount",
                mysql: "drop index steps_stock_amount on steps_stock",
            },
            Same("update steps_stock set amount = amount + 1"),
        ],
    ),
    Step("0015_copy", TOGETHER, &[Same("create table steps_copy as select id, name from steps_person")]),
    Step(
        "0016_copy_with_key",
        TOGETHER,
        &[
            Same("drop table steps_copy"),
            Same("create table steps_copy (id integer not null primary key, name varchar(50))"),
            Same("insert into steps_copy (id, name) select id, name from steps_person"),
        ],
    ),
    Step("0017_quantity", TOGETHER, &[Same("alter table steps_stock rename column amount to quantity")]),
    Step(
        "0018_without_extra",
        TOGETHER,
        &[
            Same("alter table steps_note drop column extra"),
            Same("update steps_stock set quantity = quantity * 2"),
        ],
    ),
    Step(
        "0019_last",
        TOGETHER,
        &[
            Same("create table steps_last (id integer not null primary key)"),
            Same("insert into steps_last (id) values (1)"),
            Same("insert into steps_last (id) values (2)"),
        ],
    ),
    Step(
        "0020_end",
        TOGETHER,
        &[Same("alter table steps_last add column at integer"), Same("update steps_last set at = id + 1")],
    ),
];

/// Each statement as `<migration> <number in it> <how>`: how PostgreSQL runs it, `together` with the others of its
/// migration, `apart` from them, or `concurrently`, which nothing but PostgreSQL does.
pub(crate) fn listed() -> Vec<String> {
    let mut lines = Vec::new();
    for Step(name, marker, statements) in &STEPS {
        for (index, statement) in statements.iter().enumerate() {
            let how = match (*marker, statement.of(Dialect::Postgres)) {
                (APART, words) if words.contains("index concurrently") && words.starts_with("create") => {
                    "concurrently"
                }
                (APART, _) => "apart",
                _ => "together",
            };
            lines.push(format!("{name} {} {how}", index + 1));
        }
    }
    lines
}

/// Where a run hangs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hang<'a> {
    /// After so many statements.
    pub(crate) after: usize,
    /// A file that is made on SQLite once it hangs; a server can be asked instead.
    pub(crate) mark: &'a Path,
}

/// The migrations for a dialect, up to where it hangs.
pub(crate) fn migrations(module: ModuleName, dialect: Dialect, hang: Option<Hang<'_>>) -> MigrationSet {
    let (mut migrations, mut number) = (Vec::new(), 0);
    for Step(name, marker, statements) in &STEPS {
        let mut text = if dialect == Dialect::Postgres { (*marker).to_owned() } else { String::new() };
        let mut ends = false;
        if let Some(hang) = hang.filter(|hang| hang.after == 0) {
            text.push_str(&endless(dialect, hang.mark));
            ends = true;
        }
        for statement in statements.iter().filter(|_| !ends) {
            number += 1;
            text.push_str(statement.of(dialect));
            text.push_str(";\n");
            if let Some(hang) = hang.filter(|hang| hang.after == number) {
                text.push_str(&endless(dialect, hang.mark));
                ends = true;
                break;
            }
        }
        // Migrations are constants; this process makes them once.
        let text: &'static str = text.leak();
        migrations.push(Migration::new(name, text, text).with_mysql(text));
        if ends {
            break;
        }
    }
    MigrationSet::new(module, migrations.leak())
}

/// A statement that ends when somebody ends it.
fn endless(dialect: Dialect, mark: &Path) -> String {
    match dialect {
        Dialect::MySql => "do sleep(600)".to_owned(),
        Dialect::Sqlite => format!(
            "attach database '{}' as mark; create table steps_endless as with recursive n (i) as \
             (select 1 union all select i + 1 from n) select max(i) from n",
            mark.display()
        ),
        _ => "select pg_sleep(600)".to_owned(),
    }
}

const IN_SQLITE: &str = "create view chaos_schema as
    select type || ' ' || sql as line from sqlite_master where tbl_name like 'steps%' and sql is not null
    union all select 'migration ' || name || ' ' || checksum from dolmen_migration where module = 'steps'
    union all select 'person ' || id || ' ' || name || ' ' || coalesce(city, 0) from steps_person
    union all select 'town ' || id || ' ' || name from steps_town
    union all select 'note ' || id || ' ' || body from steps_note
    union all select 'stock ' || id || ' ' || quantity || ' ' || price from steps_stock
    union all select 'copy ' || id || ' ' || name from steps_copy
    union all select 'last ' || id || ' ' || at from steps_last";

const IN_POSTGRES: &str = "create view chaos_schema as
    select format('column %s.%s %s %s %s %s', table_name, column_name, data_type, character_maximum_length, is_nullable,
        column_default) as line
        from information_schema.columns where table_schema = current_schema() and table_name like 'steps%'
    union all select format('index %s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index
        where indrelid in (select oid from pg_class where relname like 'steps%' and relnamespace = current_schema()::regnamespace)
    union all select format('view %s', definition) from pg_views where viewname like 'steps%'
    union all select format('migration %s %s', name, checksum) from dolmen_migration where module = 'steps'
    union all select format('half applied %s', name) from dolmen_migration_progress
    union all select format('person %s %s %s', id, name, city) from steps_person
    union all select format('town %s %s', id, name) from steps_town
    union all select format('note %s %s', id, body) from steps_note
    union all select format('stock %s %s %s', id, quantity, price) from steps_stock
    union all select format('copy %s %s', id, name) from steps_copy
    union all select format('last %s %s', id, at) from steps_last";

const IN_MYSQL: &str = "create view chaos_schema as
    select convert(concat_ws(' ', 'column', table_name, column_name, column_type, is_nullable, column_default) using utf8mb4)
        collate utf8mb4_bin as line
        from information_schema.columns where table_schema = database() and table_name like 'steps%'
    union all select convert(concat_ws(' ', 'index', table_name, index_name, column_name, seq_in_index, non_unique) using utf8mb4)
        collate utf8mb4_bin from information_schema.statistics where table_schema = database() and table_name like 'steps%'
    union all select convert(concat_ws(' ', 'migration', name, checksum) using utf8mb4) collate utf8mb4_bin
        from dolmen_migration where module = 'steps'
    union all select convert(concat_ws(' ', 'half applied', name) using utf8mb4) collate utf8mb4_bin
        from dolmen_migration_progress
    union all select convert(concat_ws(' ', 'person', id, name, city) using utf8mb4) collate utf8mb4_bin from steps_person
    union all select convert(concat_ws(' ', 'town', id, name) using utf8mb4) collate utf8mb4_bin from steps_town
    union all select convert(concat_ws(' ', 'note', id, body) using utf8mb4) collate utf8mb4_bin from steps_note
    union all select convert(concat_ws(' ', 'stock', id, quantity, price) using utf8mb4) collate utf8mb4_bin from steps_stock
    union all select convert(concat_ws(' ', 'copy', id, name) using utf8mb4) collate utf8mb4_bin from steps_copy
    union all select convert(concat_ws(' ', 'last', id, at) using utf8mb4) collate utf8mb4_bin from steps_last";

/// A view on everything that the steps have made, as lines.
pub(crate) const SCHEMA: MigrationSet = MigrationSet::new(
    ModuleName::new("chaos_schema"),
    &[Migration::new("0001_schema", IN_SQLITE, IN_POSTGRES).with_mysql(IN_MYSQL)],
);
