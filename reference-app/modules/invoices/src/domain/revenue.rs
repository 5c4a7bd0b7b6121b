//! What was earned.

/// The revenue of one currency in a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revenue {
    /// ISO 4217.
    pub currency: String,
    /// How many invoices were issued and not cancelled.
    pub invoices: i64,
    /// Their total in the currency's smallest unit; more than one row of the database may hold.
    pub total_minor: i128,
}

impl Revenue {
    /// Revenue of a currency.
    pub fn new(currency: impl Into<String>, invoices: i64, total_minor: i128) -> Self {
        Self { currency: currency.into(), invoices, total_minor }
    }
}
