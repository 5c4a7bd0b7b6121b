//! How large the tables of jobs, of those that are done and of claims are, and how much of them is dead.

use std::fmt;

use dolmen::BoxError;
use sqlx::PgConnection;

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// All in bytes.
    jobs: i64,
    indexes: i64,
    front: i64,
    jobs_dead: i64,
    done: i64,
    claims: i64,
    claims_dead: i64,
}

impl Sizes {
    pub(super) const HEAD: &str =
        "   jobs, MiB  indexes  the front's   dead rows  done, MiB  claims, MiB   dead rows";

    pub(super) async fn of(connection: &mut PgConnection) -> Result<Self, BoxError> {
        let sizes = sqlx::query_as::<_, (i64, i64, i64, i64, i64, i64, i64)>(
            "select pg_relation_size('dolmen_job'), pg_indexes_size('dolmen_job'), pg_relation_size('dolmen_job_front'),
                 (select n_dead_tup from pg_stat_user_tables where relname = 'dolmen_job'),
                 pg_total_relation_size('dolmen_job_done'), pg_total_relation_size('dolmen_job_claim'),
                 (select n_dead_tup from pg_stat_user_tables where relname = 'dolmen_job_claim')",
        );
        let (jobs, indexes, front, jobs_dead, done, claims, claims_dead) =
            sizes.fetch_one(connection).await?;
        Ok(Self { jobs, indexes, front, jobs_dead, done, claims, claims_dead })
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: i64| bytes as f64 / 1_048_576.0;
        write!(
            f,
            "{:12.1}{:9.1}{:13.1}{:12}{:11.1}{:13.2}{:12}",
            mib(self.jobs),
            mib(self.indexes),
            mib(self.front),
            self.jobs_dead,
            mib(self.done),
            mib(self.claims),
            self.claims_dead
        )
    }
}
