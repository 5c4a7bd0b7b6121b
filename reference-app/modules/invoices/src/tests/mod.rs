//! Tests of this module: its rules on fakes, its repository on fakes and on real databases.

mod memory;
mod repository_contract;
mod use_cases;

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap();
    assert_eq!(Vec::from_iter(found.tables), ["invoices_counter", "invoices_invoice", "invoices_line"]);
}
