//! Reports over HTTP: parse, call, map.

use std::sync::Arc;

use dolmen_poem::{Accepted, Authenticated, Fault, Id, JsonBody, Problem};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use crate::application::UseCases;
use crate::domain::{Month, Report, ReportId, ReportStatus};

/// The routes of this module.
#[derive(Debug)]
pub(crate) struct ReportsHttp(pub(crate) Arc<UseCases>);

/// What a report is about.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "ReportKind", rename_all = "lowercase")]
enum KindDto {
    /// What was issued and not cancelled, by currency.
    Revenue,
}

/// A wish for a report.
#[derive(Debug, Clone, Object)]
#[oai(rename = "NewReport", deny_unknown_fields)]
struct NewReportDto {
    kind: KindDto,
    /// Such as `2026-10`, in UTC.
    month: String,
}

/// Where a report is in its life.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "ReportStatus", rename_all = "lowercase")]
enum StatusDto {
    Queued,
    Running,
    Done,
    Failed,
}

/// A report.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Report")]
struct ReportDto {
    id: Id<ReportId>,
    kind: KindDto,
    month: String,
    status: StatusDto,
    /// The CSV, for 15 minutes and without a token; null until it is done.
    download_url: Option<String>,
}

#[OpenApi]
impl ReportsHttp {
    /// Asks for a report; a worker makes it.
    #[oai(path = "/v1/reports", method = "post", operation_id = "request_report")]
    async fn request(
        &self,
        caller: Authenticated,
        JsonBody(body): JsonBody<NewReportDto>,
    ) -> Result<Accepted<ReportDto>, Problem> {
        let KindDto::Revenue = body.kind;
        let month = Month::parse(&body.month)
            .map_err(|error| Problem::invalid([Fault::new("/month", error.to_string())]))?;
        let report = self.0.request_report(caller.principal(), month).await?;
        Ok(Accepted::new(format!("/v1/reports/{}", report.id), dto(&report, ReportStatus::Queued, None)))
    }

    /// Reads a report.
    #[oai(path = "/v1/reports/:id", method = "get", operation_id = "read_report")]
    async fn read(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<ReportId>>,
    ) -> Result<Json<ReportDto>, Problem> {
        let found = self.0.find_report(caller.principal(), id.0).await?;
        let (report, status) = found.ok_or_else(Problem::not_found)?;
        let download_url = self.0.download_url(caller.principal(), &report).await?;
        Ok(Json(dto(&report, status, download_url)))
    }
}

fn dto(report: &Report, status: ReportStatus, download_url: Option<String>) -> ReportDto {
    let status = match status {
        ReportStatus::Queued => StatusDto::Queued,
        ReportStatus::Running => StatusDto::Running,
        ReportStatus::Done => StatusDto::Done,
        ReportStatus::Failed => StatusDto::Failed,
    };
    ReportDto {
        id: Id(report.id),
        kind: KindDto::Revenue,
        month: report.month.to_string(),
        status,
        download_url,
    }
}
