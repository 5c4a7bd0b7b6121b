//! The fake repository: it keeps the contract that the contract tests check.

use async_trait::async_trait;
use dolmen::{ErrorKind, PortError, PortResult, ReadTx, TenantId, Timestamp, WriteTx};
use dolmen_testkit::fakes::MemoryTable;

use crate::api::{InvoiceId, Revenue};
use crate::domain::{Invoice, Status};
use crate::ports::InvoiceRepository;

const INVOICES: MemoryTable<(TenantId, InvoiceId), Invoice> = MemoryTable::new("invoices_invoice");
const COUNTERS: MemoryTable<TenantId, i64> = MemoryTable::new("invoices_counter");

/// Invoices in the fake database.
#[derive(Debug)]
pub(super) struct MemoryInvoices;

#[async_trait]
impl InvoiceRepository for MemoryInvoices {
    async fn insert(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()> {
        let key = (tx.tenant()?, invoice.id);
        INVOICES.insert(tx, key, invoice.clone())
    }

    async fn find(&self, tx: &mut ReadTx, id: InvoiceId) -> PortResult<Option<Invoice>> {
        let key = (tx.tenant()?, id);
        INVOICES.get(tx, &key)
    }

    async fn find_for_update(&self, tx: &mut WriteTx, id: InvoiceId) -> PortResult<Option<Invoice>> {
        self.find(tx, id).await
    }

    async fn save(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()> {
        let key = (tx.tenant()?, invoice.id);
        let (status, number, issued_at) = (invoice.status, invoice.number, invoice.issued_at);
        let saved = INVOICES.update(tx, &key, |stored| {
            stored.status = status;
            stored.number = number;
            stored.issued_at = issued_at;
        })?;
        saved.ok_or_else(|| PortError::new(ErrorKind::NotFound, "invoices", "save the invoice"))
    }

    async fn next_number(&self, tx: &mut WriteTx) -> PortResult<i64> {
        let tenant = tx.tenant()?;
        let number = COUNTERS.get(tx, &tenant)?.unwrap_or(0) + 1;
        COUNTERS.put(tx, tenant, number)?;
        Ok(number)
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        status: Option<Status>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> PortResult<Vec<Invoice>> {
        let tenant = tx.tenant()?;
        let rows = INVOICES.scan(tx, |(of, id), invoice| {
            *of == tenant
                && after.is_none_or(|after| *id < after)
                && status.is_none_or(|status| invoice.status == status)
        })?;
        Ok(rows.into_iter().rev().map(|(_, invoice)| invoice).take(limit as usize).collect())
    }

    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>> {
        let tenant = tx.tenant()?;
        let counts = |invoice: &Invoice| {
            matches!(invoice.status, Status::Issued | Status::Paid)
                && invoice.issued_at.is_some_and(|at| from <= at && at < to)
        };
        let rows = INVOICES.scan(tx, |(of, _), invoice| *of == tenant && counts(invoice))?;
        let mut by_currency = std::collections::BTreeMap::<String, (i64, i128)>::new();
        for (_, invoice) in rows {
            let sum = by_currency.entry(invoice.currency).or_default();
            *sum = (sum.0 + 1, sum.1 + i128::from(invoice.total_minor));
        }
        Ok(by_currency
            .into_iter()
            .map(|(currency, (count, total))| Revenue::new(currency, count, total))
            .collect())
    }
}
