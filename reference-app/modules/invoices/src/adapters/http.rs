//! Invoices over HTTP: parse, call, map.

use std::sync::Arc;

use customers::api::CustomerId;
use dolmen_poem::{
    Authenticated, Created, Fault, Id, IdempotencyKey, JsonBody, Page, PageOf, Problem, Rfc3339, fingerprint,
};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use crate::api::InvoiceId;
use crate::application::{ChangeInvoiceError, CreateInvoiceError, UseCases};
use crate::domain::{Invoice, Line, NewInvoice, Status};

/// The routes of this module.
#[derive(Debug)]
pub(crate) struct InvoicesHttp(pub(crate) Arc<UseCases>);

/// A line of an invoice.
#[derive(Debug, Clone, Object)]
#[oai(rename = "InvoiceLine", deny_unknown_fields)]
struct LineDto {
    /// What was sold; 1 to 500 characters.
    description: String,
    /// How many; 1 to 1,000,000.
    quantity: i64,
    /// The price of one, in the currency's smallest unit.
    unit_price_minor: i64,
}

/// A new invoice.
#[derive(Debug, Clone, Object)]
#[oai(rename = "NewInvoice", deny_unknown_fields)]
struct NewInvoiceDto {
    /// Who it is for.
    customer_id: Id<CustomerId>,
    /// ISO 4217, such as `EUR`.
    currency: String,
    /// 1 to 200 lines.
    lines: Vec<LineDto>,
}

/// Where an invoice is in its life.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "InvoiceStatus", rename_all = "lowercase")]
enum StatusDto {
    Draft,
    Issued,
    Paid,
    Cancelled,
}

/// An invoice.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Invoice")]
struct InvoiceDto {
    id: Id<InvoiceId>,
    customer_id: Id<CustomerId>,
    status: StatusDto,
    /// Without gaps, from 1; null while it is a draft.
    number: Option<i64>,
    currency: String,
    /// In the currency's smallest unit.
    total_minor: i64,
    lines: Vec<LineDto>,
    created_at: Rfc3339,
    issued_at: Option<Rfc3339>,
}

#[OpenApi]
impl InvoicesHttp {
    /// Drafts an invoice, once per `Idempotency-Key`.
    #[oai(path = "/v1/invoices", method = "post", operation_id = "create_invoice")]
    async fn create(
        &self,
        caller: Authenticated,
        key: IdempotencyKey,
        JsonBody(body): JsonBody<NewInvoiceDto>,
    ) -> Result<Created<InvoiceDto>, Problem> {
        let content = fingerprint(&body);
        let invoice = self
            .0
            .create_invoice(caller.principal(), key.as_str(), content, body.into())
            .await
            .map_err(create_problem)?;
        Ok(Created::new(format!("/v1/invoices/{}", invoice.id), invoice.into()))
    }

    /// Lists invoices, newest first.
    #[oai(path = "/v1/invoices", method = "get", operation_id = "list_invoices")]
    async fn list(
        &self,
        caller: Authenticated,
        /// Only these.
        Query(status): Query<Option<StatusDto>>,
        page: Page,
    ) -> Result<Json<PageOf<InvoiceDto>>, Problem> {
        let status = status.map(Status::from);
        let invoices = self.0.list_invoices(caller.principal(), status, page.after()?, page.rows()).await?;
        let items = invoices.into_iter().map(InvoiceDto::from).collect();
        Ok(Json(PageOf::new(items, &page, |last: &InvoiceDto| last.id.0)?))
    }

    /// Reads an invoice.
    #[oai(path = "/v1/invoices/:id", method = "get", operation_id = "read_invoice")]
    async fn read(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<InvoiceId>>,
    ) -> Result<Json<InvoiceDto>, Problem> {
        let invoice = self.0.find_invoice(caller.principal(), id.0).await?.ok_or_else(Problem::not_found)?;
        Ok(Json(invoice.into()))
    }

    /// Issues a draft: it gets its number, and its customer a mail.
    #[oai(path = "/v1/invoices/:id/issue", method = "post", operation_id = "issue_invoice")]
    async fn issue(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<InvoiceId>>,
    ) -> Result<Json<InvoiceDto>, Problem> {
        Ok(Json(self.0.issue_invoice(caller.principal(), id.0).await.map_err(change_problem)?.into()))
    }

    /// Marks an issued invoice as paid.
    #[oai(path = "/v1/invoices/:id/pay", method = "post", operation_id = "pay_invoice")]
    async fn pay(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<InvoiceId>>,
    ) -> Result<Json<InvoiceDto>, Problem> {
        Ok(Json(self.0.pay_invoice(caller.principal(), id.0).await.map_err(change_problem)?.into()))
    }

    /// Cancels a draft or an issued invoice; its number stays.
    #[oai(path = "/v1/invoices/:id/cancel", method = "post", operation_id = "cancel_invoice")]
    async fn cancel(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<InvoiceId>>,
    ) -> Result<Json<InvoiceDto>, Problem> {
        Ok(Json(self.0.cancel_invoice(caller.principal(), id.0).await.map_err(change_problem)?.into()))
    }
}

fn create_problem(error: CreateInvoiceError) -> Problem {
    match error {
        CreateInvoiceError::UnknownCustomer => {
            Problem::invalid([Fault::new("/customer_id", "must be one of your customers")])
        }
        CreateInvoiceError::Invalid(broken) => Problem::invalid([Fault::new(broken.pointer, broken.rule)]),
        CreateInvoiceError::KeyReused => IdempotencyKey::mismatch(),
        CreateInvoiceError::Port(error) => error.into(),
    }
}

fn change_problem(error: ChangeInvoiceError) -> Problem {
    match error {
        ChangeInvoiceError::NotFound => Problem::not_found(),
        ChangeInvoiceError::Refused(refused) => {
            Problem::conflict("invoices/refused-transition", refused.to_string())
        }
        ChangeInvoiceError::Port(error) => error.into(),
    }
}

impl From<NewInvoiceDto> for NewInvoice {
    fn from(dto: NewInvoiceDto) -> Self {
        let lines = dto.lines.into_iter().map(|line| Line {
            description: line.description,
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
        });
        Self { customer: dto.customer_id.0, currency: dto.currency, lines: lines.collect() }
    }
}

impl From<Invoice> for InvoiceDto {
    fn from(invoice: Invoice) -> Self {
        let lines = invoice.lines.into_iter().map(|line| LineDto {
            description: line.description,
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
        });
        Self {
            id: Id(invoice.id),
            customer_id: Id(invoice.customer),
            status: invoice.status.into(),
            number: invoice.number,
            currency: invoice.currency,
            total_minor: invoice.total_minor,
            lines: lines.collect(),
            created_at: Rfc3339(invoice.created_at),
            issued_at: invoice.issued_at.map(Rfc3339),
        }
    }
}

impl From<StatusDto> for Status {
    fn from(dto: StatusDto) -> Self {
        match dto {
            StatusDto::Draft => Self::Draft,
            StatusDto::Issued => Self::Issued,
            StatusDto::Paid => Self::Paid,
            StatusDto::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Status> for StatusDto {
    fn from(status: Status) -> Self {
        match status {
            Status::Draft => Self::Draft,
            Status::Issued => Self::Issued,
            Status::Paid => Self::Paid,
            Status::Cancelled => Self::Cancelled,
        }
    }
}
