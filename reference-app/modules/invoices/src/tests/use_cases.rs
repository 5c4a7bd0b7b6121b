//! The use cases on fakes.

use std::sync::Arc;

use customers::api::{CustomerId, CustomerSummary, Customers};
use dolmen::{InlineModule, PortResult, Principal, ReadTx, TenantId, UserId, Uuid};
use dolmen_testkit::TestApp;

use super::memory::MemoryInvoices;
use crate::api::InvoiceIssued;
use crate::application::{ChangeInvoiceError, CreateInvoiceError, UseCases};
use crate::domain::{Invoice, Line, NewInvoice, Status};
use crate::ports::InvoicesPorts;

const ADA: CustomerId = CustomerId::new(Uuid::from_u128(7));

/// A neighbour that knows one customer.
#[derive(Debug)]
struct OnlyAda;

#[async_trait::async_trait]
impl Customers for OnlyAda {
    async fn find(&self, _: &mut ReadTx, id: CustomerId) -> PortResult<Option<CustomerSummary>> {
        Ok((id == ADA).then(|| CustomerSummary::new(id, "Ada", "ada@example.com")))
    }
}

struct Scene {
    app: TestApp,
    use_cases: UseCases,
    user: Principal,
}

impl Scene {
    fn new() -> Self {
        let publisher = InlineModule::new("invoices", |registrar| {
            registrar.event::<InvoiceIssued>();
        });
        let app = TestApp::builder().module(|_| publisher).watch::<InvoiceIssued>().start().unwrap();
        let (fakes, ports) = (app.fakes(), app.fakes().app());
        let use_cases = UseCases {
            invoices: Arc::new(MemoryInvoices),
            ports: InvoicesPorts {
                database: fakes.database(),
                customers: Arc::new(OnlyAda),
                events: ports.events(),
                inbox: Arc::new(fakes.inbox()),
                audit: fakes.audit(),
                clock: Arc::clone(ports.clock()),
                ids: Arc::clone(ports.ids()),
            },
        };
        let user = Principal::new(UserId::new(Uuid::nil()), TenantId::new(Uuid::from_u128(1)), "admin");
        Self { app, use_cases, user }
    }

    async fn create(
        &self,
        key: &str,
        customer: CustomerId,
        quantity: i64,
    ) -> Result<Invoice, CreateInvoiceError> {
        let line = Line { description: "Menhir".into(), quantity, unit_price_minor: 500 };
        let new = NewInvoice { customer, currency: "EUR".into(), lines: vec![line] };
        let fingerprint = [u8::try_from(quantity).unwrap(); 32];
        self.use_cases.create_invoice(&self.user, key, fingerprint, new).await
    }
}

#[tokio::test]
async fn an_issued_invoice_has_the_next_number_and_its_event() {
    let scene = Scene::new();
    for expected in 1..=3 {
        let draft = scene.create(&format!("key {expected}"), ADA, 2).await.unwrap();
        let issued = scene.use_cases.issue_invoice(&scene.user, draft.id).await.unwrap();
        assert_eq!(
            (issued.number, issued.status, issued.total_minor),
            (Some(expected), Status::Issued, 1_000)
        );
    }
    let numbers: Vec<i64> =
        scene.app.events::<InvoiceIssued>().await.unwrap().into_iter().map(|event| event.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    scene.app.ignore_leftovers();
}

#[tokio::test]
async fn a_refused_issue_draws_no_number_and_publishes_nothing() {
    let scene = Scene::new();
    let first = scene.create("1", ADA, 1).await.unwrap();
    scene.use_cases.cancel_invoice(&scene.user, first.id).await.unwrap();
    let refused = scene.use_cases.issue_invoice(&scene.user, first.id).await.unwrap_err();
    assert!(matches!(refused, ChangeInvoiceError::Refused(_)), "{refused}");
    assert!(scene.app.events::<InvoiceIssued>().await.unwrap().is_empty());
    let second = scene.create("2", ADA, 1).await.unwrap();
    assert_eq!(scene.use_cases.issue_invoice(&scene.user, second.id).await.unwrap().number, Some(1));
    scene.app.ignore_leftovers();
}

#[tokio::test]
async fn a_key_stands_for_one_invoice_and_answers_its_first_result() {
    let scene = Scene::new();
    let draft = scene.create("same", ADA, 1).await.unwrap();
    scene.use_cases.issue_invoice(&scene.user, draft.id).await.unwrap();
    assert_eq!(scene.create("same", ADA, 1).await.unwrap(), draft);
    assert!(matches!(scene.create("same", ADA, 2).await, Err(CreateInvoiceError::KeyReused)));
    let all = scene.use_cases.list_invoices(&scene.user, None, None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
    scene.app.ignore_leftovers();
}

#[tokio::test]
async fn an_invoice_needs_a_customer_of_the_tenant_and_its_key_stays_free_without_one() {
    let scene = Scene::new();
    let stranger = CustomerId::new(Uuid::from_u128(8));
    assert!(matches!(scene.create("k", stranger, 1).await, Err(CreateInvoiceError::UnknownCustomer)));
    scene.create("k", ADA, 1).await.unwrap();
}
