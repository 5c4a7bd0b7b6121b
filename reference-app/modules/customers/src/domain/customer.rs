//! A customer, and what may be said of one.

use dolmen::{MailAddress, Timestamp};

dolmen::define_id! {
    /// Identifies a customer of a tenant.
    pub struct CustomerId;
}

/// What a user says about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) address: String,
}

/// Which rule the details break, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer} {rule}")]
pub(crate) struct InvalidDetails {
    /// A JSON pointer into the request.
    pub(crate) pointer: &'static str,
    /// The rule, in words.
    pub(crate) rule: &'static str,
}

/// A customer of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    pub(crate) id: CustomerId,
    pub(crate) details: Details,
    pub(crate) created_at: Timestamp,
    /// Counts the changes; what an `ETag` shows.
    pub(crate) version: i64,
}

impl Details {
    /// Trims the texts and checks them.
    pub(crate) fn checked(self) -> Result<Self, InvalidDetails> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(InvalidDetails {
                pointer: "/name",
                rule: "must be 1 to 200 characters without control characters",
            });
        }
        let email = MailAddress::parse(self.email.trim()).map_err(|_| InvalidDetails {
            pointer: "/email",
            rule: "must be a mail address such as ada@example.com",
        })?;
        let address = self.address.trim().to_owned();
        let line_breaks_only = address.chars().all(|c| !c.is_control() || c == '\n');
        if address.is_empty() || address.chars().count() > 1000 || !line_breaks_only {
            return Err(InvalidDetails {
                pointer: "/address",
                rule: "must be 1 to 1000 characters; lines end in \\n",
            });
        }
        Ok(Self { name, email: email.as_str().to_owned(), address })
    }

    /// What a search looks in: lower case, as databases disagree on how to fold letters.
    pub(crate) fn search_text(&self) -> String {
        format!("{}\n{}", self.name, self.email).to_lowercase()
    }
}

impl Customer {
    /// A new customer.
    pub(crate) fn new(id: CustomerId, details: Details, now: Timestamp) -> Result<Self, InvalidDetails> {
        Ok(Self { id, details: details.checked()?, created_at: now, version: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(name: &str, email: &str, address: &str) -> Details {
        Details { name: name.into(), email: email.into(), address: address.into() }
    }

    #[test]
    fn texts_are_trimmed_and_kept() {
        let checked = details(" Ada ", "ada@Example.com ", "1 Stone Row\nAvebury").checked().unwrap();
        assert_eq!(checked, details("Ada", "ada@example.com", "1 Stone Row\nAvebury"));
        assert_eq!(checked.search_text(), "ada\nada@example.com");
    }

    #[test]
    fn each_rule_names_its_field() {
        let pointer = |details: Details| details.checked().unwrap_err().pointer;
        assert_eq!(pointer(details(" ", "a@example.com", "x")), "/name");
        assert_eq!(pointer(details("A\u{0}", "a@example.com", "x")), "/name");
        assert_eq!(pointer(details("A", "a.example.com", "x")), "/email");
        assert_eq!(pointer(details("A", "a@example.com", "\u{7}")), "/address");
    }
}
