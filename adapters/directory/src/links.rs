//! Links that this program serves itself.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    Clock, ErrorKind, LinkVerifier, ObjectKey, PortError, PortResult, Secret, Timestamp, check_link_validity,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Signs links to objects, and checks them.
///
/// A link is `<base>/<key>?expires=<unix seconds>&signature=<HMAC-SHA256, hex>`. The signature covers the method (`GET`; a
/// server may answer `HEAD` as well), the key and the expiry, so a link opens one object until one instant and nothing
/// else. All processes that serve the same objects need the same signing key; with another one, older links end.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use dolmen_directory::LinkSigner;
/// use dolmen_ports::{LinkVerifier, ObjectKey, Secret, SystemClock};
/// let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", Arc::new(SystemClock)).unwrap();
/// let key = ObjectKey::parse("reports/2026-10.csv").unwrap();
/// let link = links.link(&key, Duration::from_secs(60)).unwrap();
/// let query = link.strip_prefix("/objects/reports/2026-10.csv?").unwrap();
/// assert!(links.verify(&key, query).is_ok());
/// assert!(links.verify(&ObjectKey::parse("reports/2026-11.csv").unwrap(), query).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct LinkSigner {
    key: Arc<Secret<Vec<u8>>>,
    base: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl LinkSigner {
    /// A signer with a secret key of 32 bytes or more, for objects that are served below `base`: a path such as
    /// `/objects/`, or a URL that ends in one.
    ///
    /// # Errors
    /// `InvalidInput` when the key is shorter, or the base is neither a path nor a URL.
    pub fn new(key: Secret<Vec<u8>>, base: impl Into<String>, clock: Arc<dyn Clock>) -> PortResult<Self> {
        let invalid = |detail: &str| {
            Err(PortError::new(ErrorKind::InvalidInput, "objects", "sign links").with_detail(detail))
        };
        let base = base.into();
        if key.reveal().len() < 32 {
            return invalid("the signing key must have 32 random bytes or more");
        }
        let rooted = ["/", "http://", "https://"].iter().any(|start| base.starts_with(start));
        if !rooted
            || base.contains(['?', '#'])
            || base.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return invalid("the base must be a path such as /objects/ or a URL without ? and #");
        }
        Ok(Self { key: Arc::new(key), base: base.trim_end_matches('/').into(), clock })
    }

    /// Makes a link to an object, whether or not it is there.
    ///
    /// It is valid for at least `valid_for`, and at most a second longer: expiry is counted in whole seconds.
    ///
    /// # Errors
    /// `InvalidInput` when `valid_for` is not 1 second to 7 days.
    pub fn link(&self, key: &ObjectKey, valid_for: Duration) -> PortResult<String> {
        check_link_validity(valid_for)?;
        let last_instant = self.clock.now().plus(valid_for);
        let expires = last_instant.plus(Duration::from_micros(999_999)).as_unix_seconds();
        Ok(format!("{}/{key}?{}", self.base, self.query(key, expires)?))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn query(&self, key: &ObjectKey, expires: i64) -> PortResult<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.reveal()).map_err(|error| {
            PortError::new(ErrorKind::Internal, "objects", "sign links").with_source(error)
        })?;
        // No part can hold a line feed, so no two inputs are signed as the same text.
        mac.update(format!("dolmen object link 1\nGET\n{key}\n{expires}").as_bytes());
        let mut query = format!("expires={expires}&signature=");
        for byte in mac.finalize().into_bytes() {
            let _ = write!(query, "{byte:02x}");
        }
        Ok(query)
    }
}

impl LinkVerifier for LinkSigner {
    fn verify(&self, key: &ObjectKey, query: &str) -> PortResult<()> {
        let expires = query
            .strip_prefix("expires=")
            .and_then(|rest| rest.split('&').next())
            .and_then(|text| text.parse::<i64>().ok());
        // The whole query is rebuilt and compared, also when its expiry cannot be read: other spellings are not accepted,
        // and every refusal takes the same way.
        let made = self.query(key, expires.unwrap_or_default())?;
        let same = bool::from(made.as_bytes().ct_eq(query.as_bytes()));
        let alive = expires.is_some_and(|expires| self.clock.now() < Timestamp::from_unix_seconds(expires));
        if same && alive {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::PermissionDenied, "objects", "open the link")
            .with_detail("the link is not valid or no longer valid; ask for a new one"))
    }
}
