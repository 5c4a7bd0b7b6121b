//! Tests of this module as a whole.

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap();
    assert_eq!(Vec::from_iter(found.tables), ["reports_report"]);
}
