//! Tests of this module: each way in which its job can end, its statements, and its repository.

mod repository;
mod send_invoice_mail;

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap_or_else(|problems| panic!("{problems}"));
    let tables: Vec<&str> = found.tables.iter().map(String::as_str).collect();
    assert_eq!(tables, ["notifications_sent_mail"]);
}
