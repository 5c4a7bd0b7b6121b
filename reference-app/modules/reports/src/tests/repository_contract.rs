//! The repository, on the fake and on real databases.

use dolmen::{ErrorKind, JobId, PortResult, TenantId, Timestamp, Uuid};

use super::backend::{Backend, on_each};
use crate::domain::{Month, Report, ReportId};

const ADA: TenantId = TenantId::new(Uuid::from_u128(1));
const BOB: TenantId = TenantId::new(Uuid::from_u128(2));

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn report() -> Report {
    let month = Month::parse("2026-10").unwrap();
    let (id, job) = (ReportId::new(Uuid::from_u128(3)), JobId::new(Uuid::from_u128(4)));
    Report::queued(id, month, job, at("2026-10-05T10:00:00.000001Z"))
}

impl Backend {
    async fn find(&self, tenant: TenantId) -> Option<Report> {
        let database = self.database.tenant(tenant);
        database.read(async |tx| self.reports.find(tx, report().id).await).await.unwrap()
    }

    async fn set_done(&self, tenant: TenantId, at: Timestamp) -> PortResult<()> {
        let database = self.database.tenant(tenant);
        database.write(async |tx| self.reports.set_done(tx, report().id, at).await).await
    }
}

#[tokio::test]
async fn a_report_is_stored_and_becomes_done() {
    on_each(async |backend| {
        let added: PortResult<()> =
            backend.database.tenant(ADA).write(async |tx| backend.reports.insert(tx, &report()).await).await;
        added.unwrap();
        assert_eq!(backend.find(ADA).await, Some(report()));
        let done_at = at("2026-10-05T10:00:01.999999Z");
        backend.set_done(ADA, done_at).await.unwrap();
        assert_eq!(backend.find(ADA).await, Some(Report { done_at: Some(done_at), ..report() }));
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
        assert_eq!(backend.set_done(BOB, report().created_at).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(backend.find(ADA).await, Some(report()));
    })
    .await;
}
