//! Many jobs at once on PostgreSQL, by plain statements: what Dolmen itself would have left there over days.

use dolmen::BoxError;
use sqlx::PgConnection;

/// Ids ascend, as those of Dolmen do.
const ID: &str = "(lpad(to_hex((extract(epoch from now()) * 1000)::bigint + n), 12, '0') || '70008000' || \
                  lpad(to_hex(n), 12, '0'))::uuid";
const PAYLOAD: &str = r#"'{"order":"01234567890123456789","number":' || n || '}'"#;

/// Jobs that do nothing, due now.
pub(crate) async fn ready(connection: &mut PgConnection, jobs: u64) -> Result<(), BoxError> {
    let insert = format!(
        "insert into dolmen_job (id, kind, queue, state, priority, max_attempts, timeout_ms, payload, due_at, created_at)
         select {ID}, 'bench.do_nothing', 'default', 'active', 0, 10, 300000, {PAYLOAD}, statement_timestamp(),
             statement_timestamp()
         from generate_series(1, {jobs}) as n"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}

/// Such jobs that are done, two each second until now, completed by the hundred.
pub(crate) async fn finished(connection: &mut PgConnection, jobs: u64) -> Result<(), BoxError> {
    let insert = format!(
        "insert into dolmen_job_done (finished_at, first_job, last_job, size, jobs)
         select max(at), (min(id::text))::uuid, (max(id::text))::uuid, count(*), array_agg(
             row(id, 'bench.do_nothing', 'default', null, 0, at, 1, 10, 0, null, null, at, null, {PAYLOAD}, 1)::dolmen_job_record)
         from generate_series(1, {jobs}) as n,
             lateral (select statement_timestamp() - ({jobs} - n) * interval '500 milliseconds',
                 (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 500 * ({jobs} - n)), 12, '0') || '70008000' ||
                     lpad(to_hex(n), 12, '0'))::uuid) as job(at, id)
         group by n / 100"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
