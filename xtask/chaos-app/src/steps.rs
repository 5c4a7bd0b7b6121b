//! Twenty migrations, each of which leaves a mark: applied in part or twice, they leave others.

use dolmen::ports::Migration;
use dolmen::{BoxError, MigrationSet, ModuleName, ReadTx};
use dolmen_sql::sql;

use crate::commands::Opened;

/// A migration whose statements a database without transactional changes of the schema commits one by one.
macro_rules! step {
    ($number:literal, $name:literal) => {{
        const TEXT: &str = concat!(
            "create table chaos_step_",
            $number,
            " (id integer not null);\n",
            "insert into chaos_step_",
            $number,
            " (id) values (1);\n",
            "create index chaos_step_",
            $number,
            "_id on chaos_step_",
            $number,
            " (id);\n",
            "insert into chaos_step (step) select ",
            $number,
            " + id - 1 from chaos_step_",
            $number,
            ";\n",
        );
        Migration::new($name, TEXT, TEXT).with_mysql(TEXT)
    }};
}

const FIRST: &str = "create table chaos_step (step integer not null);\n";

const STEPS: MigrationSet = MigrationSet::new(
    ModuleName::new("chaos"),
    &[
        Migration::new("0001_steps", FIRST, FIRST).with_mysql(FIRST),
        step!("2", "0002_step"),
        step!("3", "0003_step"),
        step!("4", "0004_step"),
        step!("5", "0005_step"),
        step!("6", "0006_step"),
        step!("7", "0007_step"),
        step!("8", "0008_step"),
        step!("9", "0009_step"),
        step!("10", "0010_step"),
        step!("11", "0011_step"),
        step!("12", "0012_step"),
        step!("13", "0013_step"),
        step!("14", "0014_step"),
        step!("15", "0015_step"),
        step!("16", "0016_step"),
        step!("17", "0017_step"),
        step!("18", "0018_step"),
        step!("19", "0019_step"),
        step!("20", "0020_step"),
    ],
);

/// Applies the migrations.
pub(crate) async fn apply(opened: &Opened) -> Result<(), BoxError> {
    opened.database().migrate(&[STEPS]).await?;
    Ok(())
}

/// Prints the marks, in order; fails when there is not even a place for them.
pub(crate) async fn print(opened: &Opened) -> Result<(), BoxError> {
    let read = async |tx: &mut ReadTx| sql!("select step from chaos_step order by step").fetch_all(tx).await;
    let steps: Vec<(i64,)> = opened.database().system().read(read).await?;
    for (step,) in steps {
        println!("{step}");
    }
    Ok(())
}
