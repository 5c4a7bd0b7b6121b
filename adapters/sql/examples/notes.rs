//! The crate alone: a SQLite file, one table, one transaction, one job. Run it with
//! `cargo run -p dolmen-sql --example notes`.

use std::time::Duration;

use dolmen_ports::{
    BoxError, ClaimRequest, Database, IdGenerator, JobId, JobQueue, KnownKind, Migration, MigrationSet,
    ModuleName, NewJob, PortResult, Scope, UuidV7Ids, WorkerId, WriteTx,
};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions, sql};

// A table starts with the name of the crate that owns it; this example is a part of `dolmen-sql`.
const NOTES: MigrationSet = MigrationSet::new(
    ModuleName::new("dolmen_sql"),
    &[Migration::new(
        "0001_note",
        "create table dolmen_sql_note (id blob not null primary key, text text not null) strict",
        "create table dolmen_sql_note (id uuid not null primary key, text text not null)",
    )],
);

/// Writes a note and enqueues a job: both, or neither.
async fn write(tx: &mut WriteTx, queue: &dyn JobQueue, ids: &dyn IdGenerator, text: &str) -> PortResult<()> {
    sql!("insert into dolmen_sql_note (id, text) values (?, ?)", ids.next(), text).execute(tx).await?;
    let job = NewJob::new(
        JobId::new(ids.next()),
        "notes.send_note",
        format!("{{\"text\":{text:?}}}"),
        Scope::System,
    );
    queue.enqueue(tx, vec![job]).await?;
    Ok(())
}

/// Writes a note and runs its job; returns what the job said.
pub(crate) async fn run() -> Result<Vec<String>, BoxError> {
    let file = std::env::temp_dir().join(format!("dolmen-notes-{}.db", std::process::id()));
    let sql = SqlDatabase::connect(&format!("sqlite:{}", file.display()), SqlOptions::new()).await?;
    let (database, queue, ids) = (Database::new(sql.clone()), SqlJobQueue::new(&sql), UuidV7Ids::new());
    database.migrate(&[dolmen_sql::MIGRATIONS, NOTES]).await?;

    let written: PortResult<()> =
        database.system().write(async |tx| write(tx, &queue, &ids, "water the plants").await).await;
    written?;

    let worker = WorkerId::new(ids.next());
    let request =
        ClaimRequest::new(worker, vec![KnownKind::new("notes.send_note", 1)], 10, Duration::from_secs(30));
    let mut said = Vec::new();
    for job in queue.claim(&request).await? {
        said.push(format!("{} {}", job.kind, job.payload));
        let finished: PortResult<()> =
            database.system().write(async |tx| queue.complete(tx, &job.lease).await).await;
        finished?;
    }
    database.close().await;
    std::fs::remove_file(file)?;
    Ok(said)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}
