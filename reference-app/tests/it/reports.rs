//! `/v1/reports`: from the wish to the CSV behind a signed link.

use std::time::Duration;

use dolmen::PortResult;
use dolmen_sql::statement;
use serde_json::{Value, json};

use crate::support::{Answer, Case, TestApp, UNKNOWN, cases, eventually, invoice_for, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        a_report_is_made_and_its_link_needs_no_token,
        revenue_counts_what_was_issued_in_the_month_and_not_cancelled,
        a_link_that_was_tampered_with_opens_nothing,
        a_link_expires_and_the_report_gives_a_new_one,
        a_report_whose_job_died_is_failed_and_an_operators_retry_makes_it,
        what_is_no_report_is_refused,
    ]
}

const HEADER: &str = "month,currency,invoices,total_minor\r\n";

fn wish(month: &str) -> Value {
    json!({ "kind": "revenue", "month": month })
}

/// The report once it is done.
async fn done(app: &TestApp, path: &str) -> Value {
    eventually("the report", async || {
        let report = app.demo.read(path).await;
        let status = text(&report, "status");
        assert!(["queued", "running", "done"].contains(&status), "{report}");
        assert_eq!(report["download_url"].is_string(), status == "done", "{report}");
        (status == "done").then_some(report)
    })
    .await
}

async fn made(app: &TestApp, month: &str) -> Value {
    let asked = app.demo.post("/v1/reports", &wish(month)).await.expect(202);
    done(app, asked.header("location")).await
}

/// What somebody without a token gets behind the link of a report.
async fn download(app: &TestApp, report: &Value) -> Answer {
    app.anybody.get(text(report, "download_url")).send().await
}

async fn a_report_is_made_and_its_link_needs_no_token(app: &TestApp) {
    let answer = app.demo.post("/v1/reports", &wish("2026-10")).await;
    let asked = answer.json(202);
    assert_eq!(answer.header("location"), format!("/v1/reports/{}", text(&asked, "id")));
    let expected = json!({ "id": asked["id"], "kind": "revenue", "month": "2026-10", "status": "queued", "download_url": null });
    assert_eq!(asked, expected);
    let report = done(app, answer.header("location")).await;
    assert_eq!((&report["id"], text(&report, "month")), (&asked["id"], "2026-10"));
    let csv = download(app, &report).await.expect(200);
    assert_eq!(csv.text(), HEADER);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").starts_with("attachment; filename="), "{csv:?}");
    assert_eq!(csv.header("x-content-type-options"), "nosniff");
    assert_eq!(app.reports().len(), 1);
}

async fn revenue_counts_what_was_issued_in_the_month_and_not_cancelled(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let (_, rival) = app.other_tenant().await;
    rival.issued(&rival.add_customer("Eve").await).await;
    app.demo.draft(&customer).await;
    let cancelled = app.demo.issued(&customer).await;
    app.demo.order(&format!("/v1/invoices/{}/cancel", text(&cancelled, "id"))).await.expect(200);
    let paid = app.demo.issued(&customer).await;
    app.demo.order(&format!("/v1/invoices/{}/pay", text(&paid, "id"))).await.expect(200);
    app.demo.issued(&customer).await;
    let mut dollars = invoice_for(&customer);
    dollars["currency"] = json!("CHF");
    let francs = app.demo.drafting("francs", &dollars).send().await.json(201);
    // The last instant of the month, and the first of the next one.
    app.clock.set("2026-10-31T23:59:59.999999Z".parse().unwrap());
    let session = app.anybody.signed_in(crate::support::DEMO.0, crate::support::DEMO.1).await;
    session.order(&format!("/v1/invoices/{}/issue", text(&francs, "id"))).await.expect(200);
    app.clock.advance(Duration::from_micros(1));
    session.issued(&customer).await;
    let csv = async |month: &str| {
        let asked = session.post("/v1/reports", &wish(month)).await.expect(202);
        let report = eventually("the report", async || {
            Some(session.read(asked.header("location")).await).filter(|report| report["status"] == "done")
        });
        download(app, &report.await).await.text()
    };
    assert_eq!(csv("2026-10").await, format!("{HEADER}2026-10,CHF,1,259900\r\n2026-10,EUR,2,519800\r\n"));
    assert_eq!(csv("2026-11").await, format!("{HEADER}2026-11,EUR,1,259900\r\n"));
    assert_eq!(csv("2026-09").await, HEADER);
}

async fn a_link_that_was_tampered_with_opens_nothing(app: &TestApp) {
    let (ours, other) = (made(app, "2026-10").await, made(app, "2026-09").await);
    let (path, query) = text(&ours, "download_url").split_once('?').unwrap();
    let (other_path, _) = text(&other, "download_url").split_once('?').unwrap();
    let (expires, signature) = query.split_once('&').unwrap();
    let flipped = if query.ends_with('0') { '1' } else { '0' };
    let later = format!("{}9", &expires[..expires.len() - 1]);
    let much_later = format!("{expires}0");
    let mut links = vec![
        path.to_owned(),
        format!("{path}?{expires}"),
        format!("{path}?{signature}"),
        format!("{path}?{}{flipped}", &query[..query.len() - 1]),
        format!("{path}?{query}00"),
        format!("{path}?{}", &query[..query.len() - 2]),
        format!("{path}?{much_later}&{signature}"),
        format!("{path}?{query}&{expires}"),
        format!("{other_path}?{query}"),
        format!("{path}x?{query}"),
        format!("/objects/../dolmen.db?{query}"),
        format!("/objects/%2e%2e%2fdolmen.db?{query}"),
        format!("/objects//etc/passwd?{query}"),
        format!("/objects/a%00b?{query}"),
        format!("/objects/?{query}"),
    ];
    if later != expires {
        links.push(format!("{path}?{later}&{signature}"));
    }
    let refused = app.anybody.get("/objects/nothing").send().await;
    refused.problem(403, "objects/invalid-link");
    for link in links {
        assert_eq!(app.anybody.get(&link).send().await.visible(), refused.visible(), "{link}");
    }
    download(app, &ours).await.expect(200);
}

async fn a_link_expires_and_the_report_gives_a_new_one(app: &TestApp) {
    let report = made(app, "2026-10").await;
    app.clock.advance(Duration::from_mins(15) - Duration::from_secs(1));
    download(app, &report).await.expect(200);
    app.clock.advance(Duration::from_secs(2));
    download(app, &report).await.problem(403, "objects/invalid-link");
    let again = app.demo.read(&format!("/v1/reports/{}", text(&report, "id"))).await;
    assert_ne!(again["download_url"], report["download_url"]);
    download(app, &again).await.expect(200);
}

async fn a_report_whose_job_died_is_failed_and_an_operators_retry_makes_it(app: &TestApp) {
    let database = app.database.system();
    let paused: PortResult<u64> = database
        .write(async |tx| {
            statement!("dolmen", "insert into dolmen_job_paused (queue) values ('default')").execute(tx).await
        })
        .await;
    paused.unwrap();
    let asked = app.demo.post("/v1/reports", &wish("2026-10")).await.expect(202);
    let path = asked.header("location");
    // As if its process had died for the third time before the completion.
    let died: PortResult<u64> = database
        .write(async |tx| statement!("dolmen", "update dolmen_job set state = 'dead'").execute(tx).await)
        .await;
    died.unwrap();
    let failed = app.demo.read(path).await;
    assert_eq!((&failed["status"], &failed["download_url"]), (&json!("failed"), &Value::Null));
    let retried: PortResult<u64> = database
        .write(async |tx| {
            statement!("dolmen", "delete from dolmen_job_paused").execute(tx).await?;
            statement!("dolmen", "update dolmen_job set state = 'active', attempt = 0, finished_at = null")
                .execute(tx)
                .await
        })
        .await;
    assert_eq!(retried.unwrap(), 1);
    let again = done(app, path).await;
    assert_eq!(download(app, &again).await.expect(200).text(), HEADER);
}

async fn what_is_no_report_is_refused(app: &TestApp) {
    for month in ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "october", "", "1999-12", "9999-01"]
    {
        let answer = app.demo.post("/v1/reports", &wish(month)).await.expect(422);
        assert_eq!(answer.pointers(), ["/month"], "{month}");
    }
    for kind in [json!("costs"), json!("Revenue"), json!(1), Value::Null] {
        let answer =
            app.demo.post("/v1/reports", &json!({ "kind": kind, "month": "2026-10" })).await.expect(422);
        assert_eq!(answer.pointers(), ["/kind"], "{kind}");
    }
    let mut more = wish("2026-10");
    more["status"] = json!("done");
    app.demo.post("/v1/reports", &more).await.problem(422, "request/unknown-field");
    app.demo.get(&format!("/v1/reports/{UNKNOWN}")).send().await.problem(404, "request/not-found");
    app.demo.get("/v1/reports/2026-10").send().await.problem(400, "request/invalid-id");
}
