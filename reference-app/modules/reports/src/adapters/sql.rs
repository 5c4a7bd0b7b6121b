//! Reports in SQL. Table: `reports_report`.

use async_trait::async_trait;
use dolmen::{ErrorKind, JobId, PortError, PortResult, ReadTx, Timestamp, WriteTx};
use dolmen_sql::{FromRow, Row, sql};

use crate::domain::{Month, Report, ReportId};
use crate::ports::ReportRepository;

/// The reports of the application's database.
#[derive(Debug, Default)]
pub(crate) struct SqlReports;

impl FromRow for Report {
    fn from_row(row: &Row) -> PortResult<Self> {
        let month: String = row.get("month")?;
        Ok(Self {
            id: ReportId::new(row.get("id")?),
            month: Month::parse(&month).map_err(|error| corrupt("month").with_source(error))?,
            job: JobId::new(row.get("job")?),
            created_at: row.get("created_at")?,
            done_at: row.get("done_at")?,
        })
    }
}

#[async_trait]
impl ReportRepository for SqlReports {
    async fn insert(&self, tx: &mut WriteTx, report: &Report) -> PortResult<()> {
        sql!(
            "insert into reports_report (tenant, id, month, job, created_at, done_at) values (?, ?, ?, ?, ?, ?)",
            tx.tenant()?.as_uuid(),
            report.id.as_uuid(),
            report.month.to_string(),
            report.job.as_uuid(),
            report.created_at,
            report.done_at,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn find(&self, tx: &mut ReadTx, id: ReportId) -> PortResult<Option<Report>> {
        sql!(
            "select id, month, job, created_at, done_at from reports_report where tenant = ? and id = ?",
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(tx)
        .await
    }

    async fn set_done(&self, tx: &mut WriteTx, id: ReportId, at: Timestamp) -> PortResult<()> {
        let rows = sql!(
            "update reports_report set done_at = ? where tenant = ? and id = ?",
            at,
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
        )
        .execute(tx)
        .await?;
        if rows == 1 { Ok(()) } else { Err(PortError::new(ErrorKind::NotFound, "reports", "set it done")) }
    }
}

fn corrupt(column: &str) -> PortError {
    PortError::new(ErrorKind::Internal, "reports", "read a row")
        .with_detail(format!("a report has an unknown {column}"))
}
