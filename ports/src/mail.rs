//! Mail: one message to one person.

use std::fmt;

use async_trait::async_trait;

use crate::error::PortResult;

/// A mail address that passed the rules: one `@`, no control characters, at most 254 characters (RFC 5321).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailAddress(String);

/// Why a text is not a mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a mail address of at most 254 characters, such as ada@example.com")]
pub struct ParseMailAddressError;

impl MailAddress {
    /// Checks a text. The domain is lower-cased; the part before the `@` is kept as it is.
    ///
    /// # Examples
    /// ```
    /// use dolmen_ports::MailAddress;
    /// assert_eq!(MailAddress::parse("Ada@Example.COM").unwrap().as_str(), "Ada@example.com");
    /// assert!(MailAddress::parse("ada@example.com\r\nBcc: eve@example.com").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseMailAddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(ParseMailAddressError)?;
        let sound = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c))
        };
        let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
        if text.len() > 254
            || local.len() > 64
            || !sound(local)
            || !sound(domain)
            || !dots(local)
            || !dots(domain)
        {
            return Err(ParseMailAddressError);
        }
        Ok(Self(format!("{local}@{}", domain.to_lowercase())))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Email {
    /// Who it is from.
    pub from: MailAddress,
    /// Who it is to.
    pub to: MailAddress,
    /// One line; control characters are refused by `send`.
    pub subject: String,
    /// Plain text, UTF-8, lines ended by `\n`.
    pub text: String,
    /// A key that stays the same when the same mail is sent again, for the `Message-ID`.
    pub key: String,
}

impl Email {
    /// A message. `key` should be derived from what the mail is about, such as `invoice-issued-<id>`.
    pub fn new(
        from: MailAddress,
        to: MailAddress,
        subject: impl Into<String>,
        text: impl Into<String>,
        key: impl Into<String>,
    ) -> Self {
        Self { from, to, subject: subject.into(), text: text.into(), key: key.into() }
    }
}

/// Sends mail. Outside transactions: call it from a job.
///
/// # Contract
/// - `ML-1` `Ok` means that the next hop has taken responsibility for the message.
/// - `ML-2` A subject or key with a control character, or one that is empty, gives `InvalidInput` and sends nothing.
/// - `ML-3` The same key gives the same `Message-ID`: a mail that is sent twice can be told by its reader's program.
///   Mail is not a database effect and may arrive twice.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Sends one message.
    async fn send(&self, email: &Email) -> PortResult<()>;
}

/// The rule `ML-2`, for adapters: checks what `MailAddress` does not.
pub fn check_email(email: &Email) -> PortResult<()> {
    let invalid = |field: &str| {
        Err(crate::PortError::new(crate::ErrorKind::InvalidInput, "mail", "send").with_detail(format!(
            "{field} must be one line of 1 to 200 characters without control characters"
        )))
    };
    for (field, value) in [("subject", &email.subject), ("key", &email.key)] {
        if value.is_empty() || value.chars().count() > 200 || value.chars().any(char::is_control) {
            return invalid(field);
        }
    }
    Ok(())
}
