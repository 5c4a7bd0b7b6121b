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

/// Such jobs that are done, two each second until now.
pub(crate) async fn finished(connection: &mut PgConnection, jobs: u64) -> Result<(), BoxError> {
    let insert = format!(
        "insert into dolmen_job (id, kind, queue, state, priority, attempt, max_attempts, timeout_ms, payload, due_at,
             created_at, finished_at)
         select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 500 * ({jobs} - n)), 12, '0') || '70008000' ||
                 lpad(to_hex(n), 12, '0'))::uuid,
             'bench.do_nothing', 'default', 'done', 0, 1, 10, 300000, {PAYLOAD}, at, at, at
         from generate_series(1, {jobs}) as n,
             lateral (select statement_timestamp() - ({jobs} - n) * interval '500 milliseconds') as finished(at)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
