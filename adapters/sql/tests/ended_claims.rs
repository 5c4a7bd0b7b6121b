//! The row of a claim goes when its jobs have completed themselves, and not only when its lease runs out.

#![cfg(test)]
#![cfg(feature = "sqlite")]

use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, Database, IdGenerator as _, JobId, JobQueue as _, KnownKind, NewJob, PortResult, Scope,
    UuidV7Ids, WorkerId, WriteTx,
};
use dolmen_sql::test_database::TestDatabase;
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions, statement};

const JOBS: u32 = 30;
/// As many as may wait for a call that removes them, and the one that is under way.
const MOST_ROWS: i64 = 9;

async fn rows(database: &Database) -> i64 {
    let read = database.system().read(async |tx| {
        statement!("dolmen", "select count(*) from dolmen_job_claim").fetch_one::<(i64,)>(tx).await
    });
    read.await.unwrap().0
}

#[tokio::test]
async fn jobs_that_complete_themselves_leave_few_rows_of_claims_behind_and_none_when_it_is_quiet() {
    let place = TestDatabase::sqlite();
    let sql = SqlDatabase::connect(place.url(), SqlOptions::new()).await.unwrap();
    let (database, queue, ids) = (Database::new(sql.clone()), SqlJobQueue::new(&sql), UuidV7Ids::new());
    database.migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap();
    let jobs: Vec<NewJob> =
        (0..JOBS).map(|_| NewJob::new(JobId::new(ids.next()), "a.b", "{}", Scope::System)).collect();
    database.system().write(async |tx| queue.enqueue(tx, jobs.clone()).await).await.unwrap();
    let kinds = vec![KnownKind::new("a.b".to_owned(), 1)];
    let request = ClaimRequest::new(WorkerId::new(ids.next()), kinds, 1, Duration::from_mins(5));
    for _ in 0..JOBS {
        let claimed = queue.claim(&request).await.unwrap();
        let lease = claimed.first().unwrap().lease;
        let done = database
            .system()
            .write(async |tx: &mut WriteTx| -> PortResult<()> { queue.complete(tx, &lease).await });
        done.await.unwrap();
        assert!(rows(&database).await <= MOST_ROWS);
    }
    assert_eq!(queue.claim(&request).await.unwrap(), []);
    assert_eq!(rows(&database).await, 0);
    place.remove(&database).await;
}
