//! The aggregate: draft → issued → paid or cancelled.

use customers::api::CustomerId;
use dolmen::Timestamp;

use super::line::{InvalidContent, Line};
dolmen::define_id! {
    /// Identifies an invoice.
    pub struct InvoiceId;
}

/// Where an invoice is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Draft,
    Issued,
    Paid,
    Cancelled,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Issued => "issued",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Draft, Self::Issued, Self::Paid, Self::Cancelled]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// What a new invoice is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewInvoice {
    pub(crate) customer: CustomerId,
    pub(crate) currency: String,
    pub(crate) lines: Vec<Line>,
}

/// An invoice of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoice {
    pub(crate) id: InvoiceId,
    pub(crate) customer: CustomerId,
    pub(crate) status: Status,
    /// Without gaps per tenant, from 1; none while it is a draft.
    pub(crate) number: Option<i64>,
    /// ISO 4217, such as `EUR`.
    pub(crate) currency: String,
    pub(crate) total_minor: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) created_at: Timestamp,
    pub(crate) issued_at: Option<Timestamp>,
}

/// The invoice's status does not allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invoice that is {} cannot be {}", .from.name(), .to.name())]
pub(crate) struct RefusedTransition {
    pub(crate) from: Status,
    pub(crate) to: Status,
}

const MAX_LINES: usize = 200;
const MAX_TOTAL_MINOR: i64 = 1_000_000_000_000_000;

impl Invoice {
    /// Drafts an invoice.
    pub(crate) fn draft(id: InvoiceId, new: NewInvoice, now: Timestamp) -> Result<Self, InvalidContent> {
        let broken = |pointer: &str, rule| InvalidContent { pointer: pointer.to_owned(), rule };
        if new.currency.len() != 3 || !new.currency.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(broken("/currency", "must be three capital letters, an ISO 4217 code such as EUR"));
        }
        if new.lines.is_empty() || new.lines.len() > MAX_LINES {
            return Err(broken("/lines", "must hold 1 to 200 lines"));
        }
        for (index, line) in new.lines.iter().enumerate() {
            line.check(index)?;
        }
        let total_minor = new.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount_minor()));
        if total_minor > MAX_TOTAL_MINOR {
            return Err(broken("/lines", "must add up to at most 1000000000000000"));
        }
        Ok(Self {
            id,
            customer: new.customer,
            status: Status::Draft,
            number: None,
            currency: new.currency,
            total_minor,
            lines: new.lines,
            created_at: now,
            issued_at: None,
        })
    }

    /// The invoice as it was when it was drafted: its content never changes.
    pub(crate) fn into_draft(self) -> Self {
        Self { status: Status::Draft, number: None, issued_at: None, ..self }
    }

    /// Whether it can be issued; asked before a number is drawn, so that a refusal draws none.
    pub(crate) fn check_issue(&self) -> Result<(), RefusedTransition> {
        self.check(Status::Issued)
    }

    /// draft → issued, under a number.
    pub(crate) fn issue(&mut self, number: i64, now: Timestamp) -> Result<(), RefusedTransition> {
        self.check_issue()?;
        self.status = Status::Issued;
        self.number = Some(number);
        self.issued_at = Some(now);
        Ok(())
    }

    /// issued → paid.
    pub(crate) fn pay(&mut self) -> Result<(), RefusedTransition> {
        self.check(Status::Paid)?;
        self.status = Status::Paid;
        Ok(())
    }

    /// draft or issued → cancelled; its number stays, because numbers have no gaps.
    pub(crate) fn cancel(&mut self) -> Result<(), RefusedTransition> {
        self.check(Status::Cancelled)?;
        self.status = Status::Cancelled;
        Ok(())
    }

    fn check(&self, to: Status) -> Result<(), RefusedTransition> {
        let allowed = matches!(
            (self.status, to),
            (Status::Draft, Status::Issued | Status::Cancelled)
                | (Status::Issued, Status::Paid | Status::Cancelled)
        );
        if allowed { Ok(()) } else { Err(RefusedTransition { from: self.status, to }) }
    }
}

#[cfg(test)]
mod tests {
    use dolmen::Uuid;

    use super::*;

    fn line(quantity: i64, unit_price_minor: i64) -> Line {
        Line { description: "Stone".into(), quantity, unit_price_minor }
    }

    fn draft(lines: Vec<Line>) -> Result<Invoice, InvalidContent> {
        let new = NewInvoice { customer: CustomerId::new(Uuid::nil()), currency: "EUR".into(), lines };
        Invoice::draft(InvoiceId::new(Uuid::nil()), new, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_draft_adds_up_its_lines() {
        assert_eq!(draft(vec![line(2, 150), line(1, 99)]).unwrap().total_minor, 399);
    }

    #[test]
    fn each_rule_names_its_place() {
        let pointer = |result: Result<Invoice, InvalidContent>| result.unwrap_err().pointer;
        assert_eq!(pointer(draft(vec![])), "/lines");
        assert_eq!(pointer(draft(vec![line(1, 1), line(0, 1)])), "/lines/1/quantity");
        assert_eq!(pointer(draft(vec![line(1, -1)])), "/lines/0/unit_price_minor");
        assert_eq!(pointer(draft(vec![line(1_000_000, 1_000_000_000_000)])), "/lines");
    }

    #[test]
    fn only_the_steps_of_its_life_are_allowed() {
        let mut invoice = draft(vec![line(1, 1)]).unwrap();
        assert!(invoice.pay().is_err());
        invoice.issue(1, Timestamp::UNIX_EPOCH).unwrap();
        assert!(invoice.issue(2, Timestamp::UNIX_EPOCH).is_err());
        invoice.pay().unwrap();
        assert!(invoice.cancel().is_err());
        assert_eq!(invoice.number, Some(1));
    }

    #[test]
    fn a_cancelled_invoice_keeps_its_number() {
        let mut invoice = draft(vec![line(1, 1)]).unwrap();
        invoice.issue(7, Timestamp::UNIX_EPOCH).unwrap();
        invoice.cancel().unwrap();
        assert_eq!((invoice.number, invoice.status), (Some(7), Status::Cancelled));
    }
}
