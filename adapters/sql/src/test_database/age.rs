//! Makes jobs older, where the clock of the database decides and no test can move it.

use std::time::Duration;

use dolmen_ports::{Database, PortResult, WriteTx};

use crate::{Native, SqlDatabase, map_error, native};

/// Makes every job `by` older: delays and back-offs end earlier, leases run out, and the periods of unique keys are over,
/// however long they are.
///
/// For tests that let time pass; with `dolmen-testkit`, `TestApp::with_ageing` calls it.
///
/// # Errors
/// The database's.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use dolmen_ports::Database;
/// use dolmen_sql::test_database::{TestDatabase, age_jobs};
/// use dolmen_sql::{SqlDatabase, SqlOptions};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let place = TestDatabase::sqlite();
/// let sql = SqlDatabase::connect(place.url(), SqlOptions::new()).await.unwrap();
/// let database = Database::new(sql.clone());
/// database.migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap();
/// // … a job is enqueued with a delay of a day
/// age_jobs(&sql, Duration::from_hours(24)).await.unwrap();
/// // … and now it is due.
/// place.remove(&database).await;
/// # });
/// ```
pub async fn age_jobs(sql: &SqlDatabase, by: Duration) -> PortResult<()> {
    let database = Database::new(sql.clone());
    let work = database.system().write(async |tx: &mut WriteTx| {
        for age in AGE {
            let result = match native(tx)? {
                #[cfg(feature = "sqlite")]
                Native::Sqlite(connection) => {
                    let older = format!("{:+} seconds", -by.as_secs_f64());
                    sqlx::query(age.sqlite).bind(older).execute(connection).await.map(drop)
                }
                #[cfg(feature = "postgres")]
                Native::Postgres(connection) => {
                    sqlx::query(age.postgres).bind(by.as_secs_f64()).execute(connection).await.map(drop)
                }
                #[cfg(feature = "mysql")]
                Native::MySql(connection) => {
                    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
                    sqlx::query(age.mysql).bind(micros).execute(connection).await.map(drop)
                }
                Native::None(_) => Ok(()),
            };
            result.map_err(|error| map_error(error, "age the jobs"))?;
        }
        // What became due behind the places that claims have come to is found from the very front.
        let sql = sql.clone();
        tx.after_commit(move || sql.fronts().forget());
        Ok(())
    });
    work.await
}

/// Makes a table older, as each dialect says it.
struct Age {
    #[cfg(feature = "sqlite")]
    sqlite: &'static str,
    #[cfg(feature = "postgres")]
    postgres: &'static str,
    #[cfg(feature = "mysql")]
    mysql: &'static str,
}

const AGE: [Age; 2] = [
    Age {
        #[cfg(feature = "sqlite")]
        sqlite: "update dolmen_job set
             due_at = strftime('%Y-%m-%dT%H:%M:%f000Z', due_at, ?1),
             created_at = strftime('%Y-%m-%dT%H:%M:%f000Z', created_at, ?1),
             finished_at = strftime('%Y-%m-%dT%H:%M:%f000Z', finished_at, ?1),
             unique_period = unique_period - (unique_period <> 0)",
        #[cfg(feature = "postgres")]
        postgres: "update dolmen_job set
             due_at = due_at - $1 * interval '1 second',
             created_at = created_at - $1 * interval '1 second',
             finished_at = finished_at - $1 * interval '1 second',
             unique_period = unique_period - (unique_period <> 0)::int",
        #[cfg(feature = "mysql")]
        mysql: "update dolmen_job, (select cast(? as signed) as micros) as age set
             due_at = due_at - interval micros microsecond,
             created_at = created_at - interval micros microsecond,
             finished_at = finished_at - interval micros microsecond,
             unique_period = unique_period - (unique_period <> 0)",
    },
    Age {
        #[cfg(feature = "sqlite")]
        sqlite: "update dolmen_job_claim set lease_until = strftime('%Y-%m-%dT%H:%M:%f000Z', lease_until, ?1)",
        #[cfg(feature = "postgres")]
        postgres:
            "with done as (update dolmen_job_done set finished_at = finished_at - $1 * interval '1 second')
             update dolmen_job_claim set lease_until = lease_until - $1 * interval '1 second'",
        #[cfg(feature = "mysql")]
        mysql: "update dolmen_job_claim, (select cast(? as signed) as micros) as age
         set lease_until = lease_until - interval micros microsecond",
    },
];
