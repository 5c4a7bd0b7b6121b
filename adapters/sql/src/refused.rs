//! What does not compile. Each case stands beside a twin that does, so that it fails for its own reason; what the compiler
//! says is tested in `statement::check`.
//!
//! A table of another module:
//! ```
//! let _ = dolmen_sql::sql!("select name from dolmen_sql_item");
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("select name from customers_customer");
//! ```
//! The same, in a join:
//! ```
//! let _ = dolmen_sql::sql!("select i.id from dolmen_sql_item as i join dolmen_sql_line as l on l.item = i.id");
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("select i.id from dolmen_sql_item as i join invoices_line as l on l.item = i.id");
//! ```
//! A wrong number of values:
//! ```
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ? and name = ?", 1_i64, "a");
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ? and name = ?", 1_i64);
//! ```
//! Text that is made at run time:
//! ```
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item");
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!(format!("delete from {}", "dolmen_sql_item"));
//! ```
//! ```compile_fail
//! const TEXT: &str = "delete from dolmen_sql_item";
//! let _ = dolmen_sql::sql!(TEXT);
//! ```
//! A numbered placeholder, a quoted name, a second statement, an unknown fragment:
//! ```
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ?", 1_i64);
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = $1");
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where \"id\" = ?", 1_i64);
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ?; delete from dolmen_sql_item", 1_i64);
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ? {returning id}", 1_i64);
//! ```
//! A type that not every database has:
//! ```
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ?", 1_i64);
//! ```
//! ```compile_fail
//! let _ = dolmen_sql::sql!("delete from dolmen_sql_item where id = ?", 1_u64);
//! ```
//! The same, read from a column:
//! ```
//! fn read(row: &dolmen_sql::Row) -> dolmen_ports::PortResult<i64> { row.get("id") }
//! ```
//! ```compile_fail
//! fn read(row: &dolmen_sql::Row) -> dolmen_ports::PortResult<u64> { row.get("id") }
//! ```
//! A write in a read transaction:
//! ```
//! async fn clear(tx: &mut dolmen_ports::WriteTx) -> dolmen_ports::PortResult<u64> {
//!     dolmen_sql::sql!("delete from dolmen_sql_item").execute(tx).await
//! }
//! ```
//! ```compile_fail
//! async fn clear(tx: &mut dolmen_ports::ReadTx) -> dolmen_ports::PortResult<u64> {
//!     dolmen_sql::sql!("delete from dolmen_sql_item").execute(tx).await
//! }
//! ```
