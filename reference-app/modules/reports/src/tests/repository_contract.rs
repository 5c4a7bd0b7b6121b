//! The repository, on the fake and on real databases.

use dolmen::{ErrorKind, PortResult, TenantId, Uuid};

use super::backend::{Backend, on_each};
use crate::domain::{Month, Report, ReportId, ReportStatus};

const ADA: TenantId = TenantId::new(Uuid::from_u128(1));
const BOB: TenantId = TenantId::new(Uuid::from_u128(2));

fn report() -> Report {
    let month = Month::parse("2026-10").unwrap();
    Report::queued(ReportId::new(Uuid::from_u128(3)), month, "2026-10-05T10:00:00.000001Z".parse().unwrap())
}

impl Backend {
    async fn find(&self, tenant: TenantId) -> Option<Report> {
        let database = self.database.tenant(tenant);
        database.read(async |tx| self.reports.find(tx, report().id).await).await.unwrap()
    }

    async fn set(&self, tenant: TenantId, status: ReportStatus) -> PortResult<()> {
        let database = self.database.tenant(tenant);
        database.write(async |tx| self.reports.set_status(tx, report().id, status).await).await
    }
}

#[tokio::test]
async fn a_report_is_stored_and_goes_through_its_life() {
    on_each(async |backend| {
        let added: PortResult<()> =
            backend.database.tenant(ADA).write(async |tx| backend.reports.insert(tx, &report()).await).await;
        added.unwrap();
        assert_eq!(backend.find(ADA).await, Some(report()));
        for status in [ReportStatus::Running, ReportStatus::Done, ReportStatus::Failed, ReportStatus::Queued]
        {
            backend.set(ADA, status).await.unwrap();
            assert_eq!(backend.find(ADA).await, Some(Report { status, ..report() }));
        }
    })
    .await;
}

#[tokio::test]
async fn other_tenants_see_and_change_nothing() {
    on_each(async |backend| {
        let added: PortResult<()> =
            backend.database.tenant(ADA).write(async |tx| backend.reports.insert(tx, &report()).await).await;
        added.unwrap();
        assert_eq!(backend.find(BOB).await, None);
        assert_eq!(backend.set(BOB, ReportStatus::Done).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(backend.find(ADA).await, Some(report()));
    })
    .await;
}
