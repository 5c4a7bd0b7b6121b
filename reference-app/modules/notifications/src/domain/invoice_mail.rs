//! The mail that tells a customer about an issued invoice.

/// What the mail is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvoiceMail<'a> {
    pub(crate) seller: &'a str,
    pub(crate) customer: &'a str,
    pub(crate) number: i64,
    pub(crate) currency: &'a str,
    pub(crate) total_minor: i64,
}

impl InvoiceMail<'_> {
    pub(crate) fn subject(&self) -> String {
        // A subject is one line of limited length; a tenant's name may be longer.
        let seller: String = self.seller.chars().filter(|c| !c.is_control()).take(100).collect();
        format!("Invoice {} from {seller}", self.number)
    }

    pub(crate) fn text(&self) -> String {
        let Self { seller, customer, number, currency, .. } = self;
        let total = amount(self.total_minor, currency);
        format!(
            "Dear {customer},\n\ninvoice {number} from {seller} is issued. Please pay {total}.\n\nThank you.\n"
        )
    }
}

/// An amount for people: `1234.50 EUR`. Currencies without a smaller unit are shown as they are.
fn amount(minor: i64, currency: &str) -> String {
    // ISO 4217 lists these with no or three decimals; all others have two.
    let decimals = match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    let factor = 10_i64.pow(decimals);
    let width = decimals as usize;
    match decimals {
        0 => format!("{minor} {currency}"),
        _ => format!("{}.{:0width$} {currency}", minor / factor, minor % factor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currency_s_decimals() {
        assert_eq!(amount(123_450, "EUR"), "1234.50 EUR");
        assert_eq!(amount(5, "EUR"), "0.05 EUR");
        assert_eq!(amount(123_450, "JPY"), "123450 JPY");
        assert_eq!(amount(1_005, "KWD"), "1.005 KWD");
    }

    #[test]
    fn a_subject_is_one_short_line() {
        let seller = "S\r\nBcc: eve@example.com".repeat(20);
        let mail =
            InvoiceMail { seller: &seller, customer: "Ada", number: 7, currency: "EUR", total_minor: 1 };
        assert!(mail.subject().chars().count() <= 130 && !mail.subject().contains('\n'));
    }
}
