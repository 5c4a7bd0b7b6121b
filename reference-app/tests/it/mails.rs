//! Mails: one `.eml` file for each issued invoice.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Case, TestApp, cases, customer_named, eventually, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        each_issued_invoice_puts_one_mail_in_the_folder,
        a_mail_says_what_is_to_be_paid,
        drafts_and_refused_steps_send_nothing,
    ]
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let line = mail.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
}

async fn each_issued_invoice_puts_one_mail_in_the_folder(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    for _ in 0..5 {
        app.demo.issued(&customer).await;
    }
    eventually("five mails", async || (app.mails().len() >= 5).then_some(())).await;
    app.all_jobs_done().await;
    let subjects: BTreeSet<String> =
        app.mails().iter().map(|mail| header(mail, "Subject").to_owned()).collect();
    let expected = (1..=5).map(|number| format!("Invoice {number} from Stonework Ltd"));
    assert_eq!((app.mails().len(), subjects), (5, expected.collect()));
    let ids: BTreeSet<String> =
        app.mails().iter().map(|mail| header(mail, "Message-ID").to_owned()).collect();
    assert_eq!(ids.len(), 5);
}

async fn a_mail_says_what_is_to_be_paid(app: &TestApp) {
    let mut customer = customer_named("Ünal & Söhne");
    customer["email"] = json!("buchhaltung@unal.example");
    let customer = app.demo.post("/v1/customers", &customer).await.json(201);
    app.demo.issued(text(&customer, "id")).await;
    let mail = eventually("a mail", async || app.mails().pop()).await;
    assert_eq!(
        (header(&mail, "To"), header(&mail, "From")),
        ("buchhaltung@unal.example", "invoices@example.com")
    );
    assert!(mail.contains("2599.00 EUR"), "{mail}");
    assert!(mail.is_ascii(), "{mail}");
}

async fn drafts_and_refused_steps_send_nothing(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let cancelled = app.demo.draft(&customer).await;
    app.demo.order(&format!("/v1/invoices/{cancelled}/cancel")).await.expect(200);
    app.demo.order(&format!("/v1/invoices/{cancelled}/issue")).await.expect(409);
    app.demo.issued(&customer).await;
    eventually("a mail", async || app.mails().pop()).await;
    app.all_jobs_done().await;
    assert_eq!(app.mails().len(), 1);
}
