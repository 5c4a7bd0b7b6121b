//! The contract of the repository, on the fake, on SQLite and, with their features, on PostgreSQL and MariaDB. On
//! PostgreSQL it runs as a role that may touch this module's tables only.

use std::sync::Arc;

use customers::api::CustomerId;
use dolmen::{Database, ErrorKind, IdGenerator, PortError, PortResult, TenantId, Timestamp, Uuid, UuidV7Ids};
use dolmen_sql::test_database::TestDatabase;
use dolmen_testkit::fakes::MemoryDatabase;

use super::memory::MemoryInvoices;
use crate::adapters::sql::SqlInvoices;
use crate::api::{InvoiceId, Revenue};
use crate::domain::{Invoice, Line, NewInvoice, Status};
use crate::ports::InvoiceRepository;

/// One backend of the contract.
struct Backend {
    database: Database,
    invoices: Arc<dyn InvoiceRepository>,
    ids: UuidV7Ids,
}

const ADA: TenantId = TenantId::new(Uuid::from_u128(1));
const BOB: TenantId = TenantId::new(Uuid::from_u128(2));

/// Runs a case on every backend.
async fn on_each(case: impl AsyncFn(&Backend)) {
    let memory = Backend {
        database: MemoryDatabase::new().database(),
        invoices: Arc::new(MemoryInvoices),
        ids: UuidV7Ids::new(),
    };
    case(&memory).await;
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        let backend = Backend { database, invoices: Arc::new(SqlInvoices), ids: UuidV7Ids::new() };
        case(&backend).await;
        place.remove(&backend.database).await;
    }
}

impl Backend {
    fn draft(&self, currency: &str, quantities: &[i64]) -> Invoice {
        let lines = quantities.iter().map(|quantity| Line {
            description: format!("Stone × {quantity}"),
            quantity: *quantity,
            unit_price_minor: 100,
        });
        let new = NewInvoice {
            customer: CustomerId::new(self.ids.next()),
            currency: currency.to_owned(),
            lines: lines.collect(),
        };
        Invoice::draft(InvoiceId::new(self.ids.next()), new, at("2026-10-05T10:00:00.000001Z")).unwrap()
    }

    async fn add(&self, tenant: TenantId, invoice: &Invoice) {
        let added: PortResult<()> =
            self.database.tenant(tenant).write(async |tx| self.invoices.insert(tx, invoice).await).await;
        added.unwrap();
    }

    async fn find(&self, tenant: TenantId, id: InvoiceId) -> Option<Invoice> {
        let found: PortResult<Option<Invoice>> =
            self.database.tenant(tenant).read(async |tx| self.invoices.find(tx, id).await).await;
        found.unwrap()
    }

    async fn issue(&self, tenant: TenantId, invoice: &Invoice, when: &str) -> Invoice {
        let when = at(when);
        let issued: PortResult<Invoice> = self
            .database
            .tenant(tenant)
            .write(async |tx| {
                let mut invoice = self.invoices.find_for_update(tx, invoice.id).await?.unwrap();
                let number = self.invoices.next_number(tx).await?;
                invoice.issue(number, when).unwrap();
                self.invoices.save(tx, &invoice).await?;
                Ok(invoice)
            })
            .await;
        issued.unwrap()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_invoice_comes_back_as_it_was_stored() {
    on_each(async |backend: &Backend| {
        let draft = backend.draft("EUR", &[3, 1, 2]);
        backend.add(ADA, &draft).await;
        assert_eq!(backend.find(ADA, draft.id).await.as_ref(), Some(&draft));
        let issued = backend.issue(ADA, &draft, "2026-10-31T23:59:59.999999Z").await;
        assert_eq!(backend.find(ADA, draft.id).await, Some(issued));
    })
    .await;
}

#[tokio::test]
async fn ir_1_other_tenants_see_nothing() {
    on_each(async |backend: &Backend| {
        let draft = backend.draft("EUR", &[1]);
        backend.add(ADA, &draft).await;
        assert_eq!(backend.find(BOB, draft.id).await, None);
        let saved: PortResult<()> =
            backend.database.tenant(BOB).write(async |tx| backend.invoices.save(tx, &draft).await).await;
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn ir_2_numbers_have_no_gap_after_a_rollback() {
    on_each(async |backend: &Backend| {
        let draw = async |tenant: TenantId, keep: bool| -> PortResult<i64> {
            let database = backend.database.tenant(tenant);
            let mut tx = database.begin().await?;
            let number = backend.invoices.next_number(&mut tx).await?;
            if keep {
                tx.commit().await?;
            } else {
                tx.rollback().await?;
            }
            Ok(number)
        };
        assert_eq!(draw(ADA, true).await.unwrap(), 1);
        assert_eq!(draw(ADA, false).await.unwrap(), 2);
        assert_eq!(draw(ADA, true).await.unwrap(), 2);
        assert_eq!(draw(BOB, true).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn ir_3_concurrent_writers_draw_each_number_once() {
    on_each(async |backend: &Backend| {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (database, invoices) = (backend.database.clone(), Arc::clone(&backend.invoices));
            tasks.spawn(async move {
                let drawn: PortResult<i64> =
                    database.tenant(ADA).write(async |tx| invoices.next_number(tx).await).await;
                drawn.unwrap()
            });
        }
        let mut numbers = tasks.join_all().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<i64>>());
    })
    .await;
}

#[tokio::test]
async fn ir_4_pages_add_up_newest_first() {
    on_each(async |backend: &Backend| {
        let mut expected = Vec::new();
        for quantity in 1..=5 {
            let draft = backend.draft("EUR", &[quantity]);
            backend.add(ADA, &draft).await;
            expected.insert(0, draft);
        }
        let page = async |status, after| -> PortResult<Vec<Invoice>> {
            backend
                .database
                .tenant(ADA)
                .read(async |tx| backend.invoices.page(tx, status, after, 2).await)
                .await
        };
        let mut seen = Vec::new();
        while let Some(invoices) = Some(page(None, seen.last().map(|last: &Invoice| last.id)).await.unwrap())
            && !invoices.is_empty()
        {
            seen.extend(invoices);
        }
        assert_eq!(seen, expected);
        assert!(page(Some(Status::Paid), None).await.unwrap().is_empty());
        assert_eq!(page(Some(Status::Draft), None).await.unwrap(), expected[..2]);
    })
    .await;
}

#[tokio::test]
async fn revenue_counts_what_was_issued_in_the_span_and_not_cancelled() {
    on_each(async |backend: &Backend| {
        let mut issued = Vec::new();
        for (currency, quantity, when) in [
            ("EUR", 1, "2026-09-30T23:59:59.999999Z"),
            ("EUR", 2, "2026-10-01T00:00:00Z"),
            ("USD", 3, "2026-10-31T23:59:59.999999Z"),
            ("EUR", 4, "2026-10-15T00:00:00Z"),
            ("EUR", 5, "2026-11-01T00:00:00Z"),
        ] {
            let draft = backend.draft(currency, &[quantity]);
            backend.add(ADA, &draft).await;
            issued.push(backend.issue(ADA, &draft, when).await);
        }
        let mut cancelled = issued[3].clone();
        cancelled.cancel().unwrap();
        let saved: Result<(), PortError> =
            backend.database.tenant(ADA).write(async |tx| backend.invoices.save(tx, &cancelled).await).await;
        saved.unwrap();
        let (from, to) = (at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
        let revenue: PortResult<Vec<Revenue>> =
            backend.database.tenant(ADA).read(async |tx| backend.invoices.revenue(tx, from, to).await).await;
        assert_eq!(revenue.unwrap(), [Revenue::new("EUR", 1, 200), Revenue::new("USD", 1, 300)]);
    })
    .await;
}

#[tokio::test]
async fn revenue_beyond_64_bits_is_exact() {
    on_each(async |backend: &Backend| {
        // The largest totals that a row can hold stand for thousands of large invoices.
        let totals = [i64::MAX, i64::MAX, i64::MAX - 1, 0, 7];
        for total_minor in totals {
            let draft = Invoice { total_minor, ..backend.draft("EUR", &[1]) };
            backend.add(ADA, &draft).await;
            backend.issue(ADA, &draft, "2026-10-15T00:00:00Z").await;
        }
        let (from, to) = (at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
        let revenue: PortResult<Vec<Revenue>> =
            backend.database.tenant(ADA).read(async |tx| backend.invoices.revenue(tx, from, to).await).await;
        let total: i128 = totals.into_iter().map(i128::from).sum();
        assert_eq!(revenue.unwrap(), [Revenue::new("EUR", 5, total)]);
    })
    .await;
}
