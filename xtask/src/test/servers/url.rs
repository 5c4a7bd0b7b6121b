//! What a server's URL says.

/// The URL without user and password, for people.
pub(super) fn shown(url: &str) -> &str {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    url.rsplit_once('@').map_or(url, |(_, place)| place)
}

/// Where a server listens, and who logs on to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

impl Target {
    /// Reads a URL of PostgreSQL that says no more than this and a database: with parameters, such as those of TLS, we
    /// would have to know what each means to PgBouncer.
    pub(crate) fn of(url: &str) -> Option<Self> {
        Self::with_scheme(&["postgres", "postgresql"], 5432, url)
    }

    /// The same of the MySQL family.
    pub(crate) fn of_mysql(url: &str) -> Option<Self> {
        Self::with_scheme(&["mysql", "mariadb"], 3306, url)
    }

    fn with_scheme(schemes: &[&str], default_port: u16, url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !schemes.contains(&scheme) || rest.contains('?') {
            return None;
        }
        let (login, place) = rest.rsplit_once('@')?;
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (login, None),
        };
        let address = place.split_once('/').map_or(place, |(address, _)| address);
        let (host, port) = match address.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, default_port),
        };
        let host = decoded(host.trim_start_matches('[').trim_end_matches(']'))?;
        let user = decoded(user)?;
        (!host.is_empty() && !user.is_empty()).then_some(Self { host, port, user, password })
    }
}

/// Undoes percent-encoding; `None` when it is none, or hides a character that fits in no line.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("postgres://app:se@cret@db.example:5432/x"), "db.example:5432/x");
        assert_eq!(shown("mysql://app@db.example/x?password=secret"), "db.example/x");
    }

    #[test]
    fn a_target_is_read_with_its_percent_signs() {
        let target = Target::of("postgresql://ap%70:p%40ss:w%c3%b6rd@[::1]:6000/x").expect("a target");
        let expected = Target {
            host: "::1".to_owned(),
            port: 6000,
            user: "app".to_owned(),
            password: Some("p@ss:wörd".to_owned()),
        };
        assert_eq!(target, expected);
        let target = Target::of("postgres://app@[::1]").expect("a target");
        assert_eq!((target.host.as_str(), target.port, target.password), ("::1", 5432, None));
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for url in [
            "mysql://app@db.example/x",
            "postgres://db.example/x",
            "postgres://app@/x",
            "postgres://app@db.example/x?sslmode=require",
            "postgres://app:%zz@db.example/x",
            "postgres://app:%0a@db.example/x",
            "postgres://app@db.example:port/x",
        ] {
            assert_eq!(Target::of(url), None, "{url}");
        }
    }
}
