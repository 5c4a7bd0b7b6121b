//! Invoices in SQL. Tables: `invoices_invoice`, `invoices_line`, `invoices_counter`.

use async_trait::async_trait;
use customers::api::CustomerId;
use dolmen::{ErrorKind, PortError, PortResult, ReadTx, Timestamp, WriteTx};
use dolmen_sql::{FromRow, Row, row, sql};

use crate::api::{InvoiceId, Revenue};
use crate::domain::{Invoice, Line, Status};
use crate::ports::InvoiceRepository;

/// The invoices of the application's database.
#[derive(Debug, Default)]
pub(crate) struct SqlInvoices;

impl FromRow for Invoice {
    fn from_row(row: &Row) -> PortResult<Self> {
        let status: String = row.get("status")?;
        Ok(Self {
            id: InvoiceId::new(row.get("id")?),
            customer: CustomerId::new(row.get("customer")?),
            status: Status::parse(&status).ok_or_else(|| corrupt("invoice", "status"))?,
            number: row.get("number")?,
            currency: row.get("currency")?,
            total_minor: row.get("total_minor")?,
            lines: Vec::new(),
            created_at: row.get("created_at")?,
            issued_at: row.get("issued_at")?,
        })
    }
}

struct LineRow {
    invoice: InvoiceId,
    line: Line,
}

impl FromRow for LineRow {
    fn from_row(row: &Row) -> PortResult<Self> {
        let line = Line {
            description: row.get("description")?,
            quantity: row.get("quantity")?,
            unit_price_minor: row.get("unit_price_minor")?,
        };
        Ok(Self { invoice: InvoiceId::new(row.get("invoice")?), line })
    }
}

#[async_trait]
impl InvoiceRepository for SqlInvoices {
    async fn insert(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()> {
        let tenant = tx.tenant()?.as_uuid();
        let Invoice { id, customer, status, number, currency, total_minor, lines, created_at, issued_at } =
            invoice;
        let id = id.as_uuid();
        sql!(
            "insert into invoices_invoice
               (tenant, id, customer, status, number, currency, total_minor, created_at, issued_at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tenant,
            id,
            customer.as_uuid(),
            status.name(),
            *number,
            currency,
            *total_minor,
            *created_at,
            *issued_at,
        )
        .execute(tx)
        .await?;
        sql!(
            "insert into invoices_line (tenant, invoice, position, description, quantity, unit_price_minor)
             values {rows}"
        )
        .bind_rows((1_i32..).zip(lines).map(|(position, line)| {
            row![tenant, id, position, &line.description, line.quantity, line.unit_price_minor]
        }))
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn find(&self, tx: &mut ReadTx, id: InvoiceId) -> PortResult<Option<Invoice>> {
        let invoice = sql!(
            "select id, customer, status, number, currency, total_minor, created_at, issued_at
             from invoices_invoice where tenant = ? and id = ?",
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(tx)
        .await?;
        with_lines(tx, invoice).await
    }

    async fn find_for_update(&self, tx: &mut WriteTx, id: InvoiceId) -> PortResult<Option<Invoice>> {
        let invoice = sql!(
            "select id, customer, status, number, currency, total_minor, created_at, issued_at
             from invoices_invoice where tenant = ? and id = ? {for_update}",
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(tx)
        .await?;
        with_lines(tx, invoice).await
    }

    async fn save(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()> {
        let rows = sql!(
            "update invoices_invoice set status = ?, number = ?, issued_at = ? where tenant = ? and id = ?",
            invoice.status.name(),
            invoice.number,
            invoice.issued_at,
            tx.tenant()?.as_uuid(),
            invoice.id.as_uuid(),
        )
        .execute(tx)
        .await?;
        if rows == 1 {
            Ok(())
        } else {
            Err(PortError::new(ErrorKind::NotFound, "invoices", "save the invoice"))
        }
    }

    async fn next_number(&self, tx: &mut WriteTx) -> PortResult<i64> {
        let tenant = tx.tenant()?.as_uuid();
        sql!(
            "insert into invoices_counter (tenant, last_number) values (?, 1)
             {on_conflict tenant} last_number = invoices_counter.last_number + 1",
            tenant,
        )
        .execute(tx)
        .await?;
        // The upsert holds the row until the transaction ends: nobody draws between these two.
        let (number,) =
            sql!("select last_number from invoices_counter where tenant = ?", tenant).fetch_one(tx).await?;
        Ok(number)
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        status: Option<Status>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> PortResult<Vec<Invoice>> {
        let status = status.map(Status::name);
        let after = after.map(InvoiceId::as_uuid);
        let mut invoices: Vec<Invoice> = sql!(
            "select id, customer, status, number, currency, total_minor, created_at, issued_at
             from invoices_invoice
             where tenant = ? and (? is null or status = ?) and (? is null or id < ?)
             order by id desc limit ?",
            tx.tenant()?.as_uuid(),
            status,
            status,
            after,
            after,
            limit,
        )
        .fetch_all(tx)
        .await?;
        add_lines(tx, &mut invoices).await?;
        Ok(invoices)
    }

    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>> {
        // The billions are summed apart, because the sum of large totals goes beyond 64 bits, which ends the statement.
        let rows: Vec<(String, i64, i64, i64)> = sql!(
            "select currency, count(*) as invoices, {int sum(billions)} as billions, {int sum(rest)} as rest
             from (
                 select currency, {int total_minor / 1000000000} as billions, total_minor % 1000000000 as rest
                 from invoices_invoice
                 where tenant = ? and issued_at >= ? and issued_at < ? and status in ('issued', 'paid')
             ) as invoice
             group by currency order by currency",
            tx.tenant()?.as_uuid(),
            from,
            to,
        )
        .fetch_all(tx)
        .await?;
        let revenue = rows.into_iter().map(|(currency, invoices, billions, rest)| {
            Revenue::new(currency, invoices, i128::from(billions) * 1_000_000_000 + i128::from(rest))
        });
        Ok(revenue.collect())
    }
}

async fn with_lines(tx: &mut ReadTx, invoice: Option<Invoice>) -> PortResult<Option<Invoice>> {
    let mut invoices = Vec::from_iter(invoice);
    add_lines(tx, &mut invoices).await?;
    Ok(invoices.pop())
}

/// Reads the lines of all invoices in one round trip.
async fn add_lines(tx: &mut ReadTx, invoices: &mut [Invoice]) -> PortResult<()> {
    let rows: Vec<LineRow> = sql!(
        "select invoice, description, quantity, unit_price_minor from invoices_line
         where tenant = ? and invoice in ({list}) order by invoice, position",
        tx.tenant()?.as_uuid(),
    )
    .bind_list(invoices.iter().map(|invoice| invoice.id.as_uuid()))
    .fetch_all(tx)
    .await?;
    for LineRow { invoice, line } in rows {
        if let Some(owner) = invoices.iter_mut().find(|candidate| candidate.id == invoice) {
            owner.lines.push(line);
        }
    }
    Ok(())
}

fn corrupt(what: &str, column: &str) -> PortError {
    PortError::new(ErrorKind::Internal, "invoices", "read a row")
        .with_detail(format!("{what} has an unknown {column}"))
}
