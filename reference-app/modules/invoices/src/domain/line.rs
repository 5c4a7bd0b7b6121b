//! A line of an invoice, and what an invoice may contain.

/// What was sold, how many, and for how much each, in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) description: String,
    pub(crate) quantity: i64,
    pub(crate) unit_price_minor: i64,
}

/// Which rule the content of an invoice breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer} {rule}")]
pub(crate) struct InvalidContent {
    /// A JSON pointer into the request.
    pub(crate) pointer: String,
    /// The rule, in words.
    pub(crate) rule: &'static str,
}

const MAX_QUANTITY: i64 = 1_000_000;
const MAX_UNIT_PRICE_MINOR: i64 = 1_000_000_000_000;

impl Line {
    /// Checks the line at `index`.
    pub(crate) fn check(&self, index: usize) -> Result<(), InvalidContent> {
        let broken =
            |field: &str, rule| Err(InvalidContent { pointer: format!("/lines/{index}/{field}"), rule });
        if self.description.trim().is_empty() || self.description.chars().count() > 500 {
            return broken("description", "must be 1 to 500 characters");
        }
        if self.description.chars().any(char::is_control) {
            return broken("description", "must not contain control characters");
        }
        if !(1..=MAX_QUANTITY).contains(&self.quantity) {
            return broken("quantity", "must be 1 to 1000000");
        }
        if !(0..=MAX_UNIT_PRICE_MINOR).contains(&self.unit_price_minor) {
            return broken("unit_price_minor", "must be 0 to 1000000000000");
        }
        Ok(())
    }

    /// Quantity times price: at most 10^18, so it fits.
    pub(crate) fn amount_minor(&self) -> i64 {
        self.quantity.saturating_mul(self.unit_price_minor)
    }
}
