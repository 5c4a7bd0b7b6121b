//! Tests of this module: its jobs on fakes, its repository on real databases, its statements.

mod backend;
mod holders;
mod jobs;
mod memory;
mod neighbours;
mod repository_contract;

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap_or_else(|problems| panic!("{problems}"));
    let tables: Vec<&str> = found.tables.iter().map(String::as_str).collect();
    assert_eq!(tables, ["reports_report"]);
}
