//! The job that tells a customer about an invoice, on fakes: sent, discarded, buried, retried.

use std::sync::Arc;
use std::time::Duration;

use accounts::api::Accounts;
use async_trait::async_trait;
use customers::api::{CustomerId, CustomerSummary, Customers};
use dolmen::{
    ErrorKind, InlineModule, JobId, JobOutcome, MailAddress, PortResult, ReadTx, Scope, TenantId, Uuid,
    WriteTx,
};
use dolmen_testkit::TestApp;
use dolmen_testkit::fakes::MemoryTable;
use invoices::api::InvoiceIssued;
use serde_json::json;

use crate::module::NotificationsModule;
use crate::ports::{NotificationsPorts, SentMail, SentMailRepository};

const TENANT: TenantId = TenantId::new(Uuid::from_u128(1));
const SENT: MemoryTable<(TenantId, JobId), SentMail> = MemoryTable::new("notifications_sent_mail");

/// Sent mails in the fake database.
#[derive(Debug)]
struct MemorySentMails;

#[async_trait]
impl SentMailRepository for MemorySentMails {
    async fn insert(&self, tx: &mut WriteTx, mail: &SentMail) -> PortResult<()> {
        let key = (tx.tenant()?, mail.job);
        SENT.insert(tx, key, mail.clone())
    }
}

/// The other modules: a tenant, and a customer with an address or none at all.
#[derive(Debug)]
struct Neighbours {
    email: Option<&'static str>,
}

#[async_trait]
impl Accounts for Neighbours {
    async fn tenants(&self, _: &mut ReadTx) -> PortResult<Vec<TenantId>> {
        Ok(vec![TENANT])
    }

    async fn tenant_name(&self, _: &mut ReadTx) -> PortResult<String> {
        Ok("Stonework Ltd".to_owned())
    }
}

#[async_trait]
impl Customers for Neighbours {
    async fn find(&self, tx: &mut ReadTx, id: CustomerId) -> PortResult<Option<CustomerSummary>> {
        assert_eq!(tx.tenant()?, TENANT);
        Ok(self.email.map(|email| CustomerSummary::new(id, "Ada", email)))
    }
}

fn app_with_customer(email: Option<&'static str>) -> TestApp {
    let neighbours = Arc::new(Neighbours { email });
    let app = TestApp::builder()
        .module(|_| InlineModule::new("accounts", |_| ()))
        .module(|_| InlineModule::new("customers", |_| ()))
        .module(|_| {
            InlineModule::new("invoices", |registrar| {
                registrar.event::<InvoiceIssued>();
            })
        })
        .module(|fakes| NotificationsModule {
            ports: NotificationsPorts {
                database: fakes.database(),
                accounts: neighbours.clone(),
                customers: neighbours,
                mailer: Arc::new(fakes.mailer().clone()),
                from: MailAddress::parse("invoices@example.com").unwrap(),
                clock: Arc::clone(fakes.app().clock()),
            },
            sent: Arc::new(MemorySentMails),
        });
    app.start().unwrap()
}

async fn publish(app: &TestApp) -> InvoiceIssued {
    let event: InvoiceIssued = serde_json::from_value(json!({
        "invoice": "0198c0de-0000-7000-8000-000000000001",
        "customer": "0198c0de-0000-7000-8000-000000000002",
        "number": 7,
        "currency": "EUR",
        "total_minor": 123_450,
        "issued_at": "2026-10-05T10:00:00.000000Z",
    }))
    .unwrap();
    app.publish(Scope::Tenant(TENANT), &event).await.unwrap();
    event
}

async fn outcomes(app: &TestApp) -> Vec<JobOutcome> {
    app.drain().await.unwrap().into_iter().map(|run| run.outcome).collect()
}

async fn remembered(app: &TestApp) -> Vec<SentMail> {
    let rows = app.database().system().read(async |tx| SENT.scan(tx, |_, _| true)).await;
    rows.unwrap().into_iter().map(|(_, mail)| mail).collect()
}

#[tokio::test]
async fn an_issued_invoice_sends_one_mail_and_remembers_it() {
    let app = app_with_customer(Some("ada@example.com"));
    let event = publish(&app).await;
    assert_eq!(outcomes(&app).await, [JobOutcome::Done]);
    assert_eq!(outcomes(&app).await, []);
    let mails = app.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(
        (mails[0].to.as_str(), mails[0].subject.as_str()),
        ("ada@example.com", "Invoice 7 from Stonework Ltd")
    );
    assert!(mails[0].text.contains("1234.50 EUR") && mails[0].text.contains("Dear Ada"), "{mails:?}");
    let remembered = remembered(&app).await;
    assert_eq!(remembered.len(), 1);
    assert_eq!((remembered[0].invoice, remembered[0].recipient.as_str()), (event.invoice, "ada@example.com"));
}

#[tokio::test]
async fn a_mailer_that_is_down_is_tried_again_later() {
    let app = app_with_customer(Some("ada@example.com"));
    app.fakes().mailer().fail_next(2, ErrorKind::Unavailable);
    publish(&app).await;
    assert_eq!(outcomes(&app).await, [JobOutcome::Retried]);
    assert_eq!(outcomes(&app).await, [], "not at once");
    for expected in [JobOutcome::Retried, JobOutcome::Done] {
        app.advance(Duration::from_mins(1)).await.unwrap();
        assert_eq!(outcomes(&app).await, [expected]);
    }
    assert_eq!((app.mails().len(), remembered(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn a_customer_who_is_gone_gets_nothing_and_nobody_is_bothered() {
    let app = app_with_customer(None);
    publish(&app).await;
    assert_eq!(outcomes(&app).await, [JobOutcome::Discarded]);
    assert!(app.mails().is_empty() && remembered(&app).await.is_empty());
}

#[tokio::test]
async fn an_address_that_cannot_work_is_a_dead_letter() {
    let app = app_with_customer(Some("no address"));
    publish(&app).await;
    assert_eq!(outcomes(&app).await, [JobOutcome::Dead]);
    assert!(app.mails().is_empty() && remembered(&app).await.is_empty());
    assert!(app.finish().await.unwrap_err().to_string().contains("dead notifications.send_invoice_mail"));
}

#[tokio::test]
async fn a_refusal_that_lasts_ends_as_a_dead_letter() {
    let app = app_with_customer(Some("ada@example.com"));
    app.fakes().mailer().fail_next(1, ErrorKind::InvalidInput);
    publish(&app).await;
    assert_eq!(outcomes(&app).await, [JobOutcome::Dead]);
    assert!(app.mails().is_empty());
    app.ignore_leftovers();
}
