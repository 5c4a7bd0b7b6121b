//! The nightly report: one for each tenant, once per night, of the month that the day before lies in.

use std::path::PathBuf;

use dolmen::TenantId;

use crate::support::{Case, TestApp, cases, eventually, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app: each_night_each_tenant_gets_the_report_of_the_month_so_far]
}

/// The reports of a tenant.
fn reports(app: &TestApp, tenant: &str) -> Vec<PathBuf> {
    app.reports().into_iter().filter(|path| path.display().to_string().contains(tenant)).collect()
}

async fn each_night_each_tenant_gets_the_report_of_the_month_so_far(app: &TestApp) {
    let (rivals, rival): (TenantId, _) = app.other_tenant().await;
    let (ours, theirs) = (text(&app.demo.read("/v1/me").await, "tenant_id").to_owned(), rivals.to_string());
    rival.issued(&rival.add_customer("Eve").await).await;
    assert!(app.ticks.publish().await.unwrap().is_empty(), "the schedule begins");
    app.clock.set("2026-10-16T02:14:59Z".parse().unwrap());
    assert!(app.ticks.publish().await.unwrap().is_empty());
    // The last of them is for all of October.
    let nights = ["2026-10-16T02:15:00Z", "2026-10-17T02:15:00Z", "2026-11-01T02:15:00Z"];
    for (night, tick) in nights.into_iter().enumerate() {
        app.clock.set(tick.parse().unwrap());
        let published = app.ticks.publish().await.unwrap();
        assert_eq!(published.len(), 1, "{published:?}");
        assert_eq!((published[0].schedule.as_str(), published[0].tick), ("reports.nightly", app.now()));
        assert!(app.ticks.publish().await.unwrap().is_empty(), "a tick is published once");
        eventually("the reports of the night", async || {
            (reports(app, &ours).len() > night && reports(app, &theirs).len() > night).then_some(())
        })
        .await;
        app.all_jobs_done().await;
        assert_eq!((reports(app, &ours).len(), reports(app, &theirs).len()), (night + 1, night + 1));
    }
    let csv = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    assert!(reports(app, &theirs).iter().all(|path| csv(path).contains("\r\n2026-10,EUR,1,259900\r\n")));
    assert!(reports(app, &ours).iter().all(|path| !csv(path).contains("EUR")));
}
