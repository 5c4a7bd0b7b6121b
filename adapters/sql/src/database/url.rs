//! Which database: the value of `DATABASE_URL`.

use std::fmt;

use dolmen_ports::Dialect;

/// What the URL of a server may hold.
struct Form {
    example: &'static str,
    parameters: &'static [&'static str],
    /// The parameter that stands in for the host.
    host: &'static str,
    ssl: &'static str,
    ssl_modes: &'static [&'static str],
}

/// Whether a pooler in transaction mode stands before the server; not for the server, but for us.
const PGBOUNCER: &str = "pgbouncer";

const POSTGRES: Form = Form {
    example: "postgres://user:password@localhost:5432/app",
    parameters: &[
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "application_name",
        "statement-cache-capacity",
        "options",
        "host",
        PGBOUNCER,
    ],
    host: "host",
    ssl: "sslmode",
    ssl_modes: &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
};

// Without charset, collation and time zone: those are this crate's to set.
const MYSQL: Form = Form {
    example: "mysql://user:password@localhost:3306/app",
    parameters: &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "statement-cache-capacity", "socket"],
    host: "socket",
    ssl: "ssl-mode",
    ssl_modes: &["disabled", "preferred", "required", "verify_ca", "verify_identity"],
};

/// A checked `DATABASE_URL`.
///
/// - `sqlite:path/to/file.db`, `sqlite:///absolute/path.db`: a file, made when it is not there;
/// - `sqlite::memory:`: a temporary file that is removed when the database is closed;
/// - `postgres://user:password@host:5432/database?sslmode=verify-full`; `pgbouncer=true` says that a pooler in
///   transaction mode stands before the server, `pgbouncer=false` that none does, and without it the driver finds out;
/// - `mysql://user:password@host:3306/database?ssl-mode=VERIFY_IDENTITY`, or `mariadb://…`: MariaDB and MySQL.
///
/// # Examples
/// ```
/// use dolmen_sql::DatabaseUrl;
/// let error = DatabaseUrl::parse("oracle://root:hunter2@localhost/shop").unwrap_err().to_string();
/// assert!(error.contains("scheme") && !error.contains("hunter2"));
/// ```
#[derive(Debug, Clone)]
pub struct DatabaseUrl(pub(crate) Place);

#[derive(Debug, Clone)]
pub(crate) enum Place {
    #[cfg(feature = "sqlite")]
    Memory,
    #[cfg(feature = "sqlite")]
    File(std::path::PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(PostgresUrl),
    #[cfg(feature = "mysql")]
    MySql(dolmen_ports::Secret<String>),
}

#[cfg(feature = "postgres")]
#[derive(Debug, Clone)]
pub(crate) struct PostgresUrl {
    /// Without the parameter that is not for the server.
    pub(crate) text: dolmen_ports::Secret<String>,
    /// What the parameter said.
    pub(crate) pgbouncer: Option<bool>,
}

/// What is wrong with a `DATABASE_URL`: the part and the fix, and never the text itself, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrlError(String);

impl fmt::Display for DatabaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for DatabaseUrlError {}

fn wrong<T>(detail: impl Into<String>) -> Result<T, DatabaseUrlError> {
    Err(DatabaseUrlError(detail.into()))
}

impl DatabaseUrl {
    /// Checks the text.
    ///
    /// # Errors
    /// Names the part that is wrong and how to mend it; also when the driver is not compiled in.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        match text.split_once(':') {
            Some(("sqlite", rest)) => sqlite(rest),
            Some(("postgres" | "postgresql", rest)) => postgres(text, rest),
            Some(("mysql" | "mariadb", rest)) => mysql(text, rest),
            _ => wrong(format!(
                "the scheme is unknown; examples: sqlite:var/app.db, {}, {}",
                POSTGRES.example, MYSQL.example
            )),
        }
    }

    /// Checks the value of `DATABASE_READ_URLS`: the replicas of `primary`, with a comma between them. A comma within a
    /// password is written as `%2C`. Empty text is none.
    ///
    /// # Errors
    /// As [`DatabaseUrl::parse`], with the number of the URL; also when it is of another kind of server than the primary.
    ///
    /// # Examples
    /// ```
    /// use dolmen_sql::DatabaseUrl;
    /// let primary = DatabaseUrl::parse("sqlite:var/app.db").unwrap();
    /// let error = DatabaseUrl::parse_replicas("sqlite:var/copy.db", &primary).unwrap_err().to_string();
    /// assert!(error.contains("SQLite has no replicas"), "{error}");
    /// ```
    pub fn parse_replicas(text: &str, primary: &Self) -> Result<Vec<Self>, DatabaseUrlError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        if primary.dialect() == Dialect::Sqlite {
            return wrong("SQLite has no replicas; leave it out, or set DATABASE_URL to a server");
        }
        let replicas = text.split(',').zip(1..).map(|(text, number)| {
            let url = Self::parse(text.trim())
                .map_err(|error| DatabaseUrlError(format!("URL {number}: {error}")))?;
            let (kind, other) = (primary.dialect().name(), url.dialect().name());
            if kind == other {
                return Ok(url);
            }
            wrong(format!(
                "URL {number} is of {other}, and DATABASE_URL of {kind}; a replica is of the same kind"
            ))
        });
        replicas.collect()
    }

    /// Checks the way of migrations: `direct`, the `DATABASE_MIGRATION_URL`, or this one where there is no other.
    ///
    /// # Errors
    /// Names the rule and how to mend it.
    pub fn check_migrations(&self, direct: Option<&Self>) -> Result<(), DatabaseUrlError> {
        let (main, is_pooled) = (self.dialect(), direct.unwrap_or(self).is_pooled());
        match direct.map(Self::dialect) {
            Some(_) if main == Dialect::Sqlite => {
                wrong("DATABASE_URL is a SQLite file, which no pooler stands before; unset it")
            }
            Some(direct) if direct != main => {
                wrong(format!("it is {}, but DATABASE_URL is {}", direct.name(), main.name()))
            }
            Some(_) if is_pooled => {
                wrong("it says pgbouncer=true, but migrations need the server itself; use its own port")
            }
            None if is_pooled => wrong(
                "DATABASE_URL says pgbouncer=true, but migrations need the server itself; set it to the way without the pooler",
            ),
            _ => Ok(()),
        }
    }

    /// Whether it says that a pooler in transaction mode stands before the server; where it says nothing, that is found
    /// out when it is opened.
    pub fn is_pooled(&self) -> bool {
        match &self.0 {
            #[cfg(feature = "postgres")]
            Place::Postgres(url) => url.pgbouncer == Some(true),
            #[cfg(any(feature = "mysql", feature = "sqlite", not(feature = "postgres")))]
            _ => false,
        }
    }

    /// The dialect of the database.
    pub fn dialect(&self) -> Dialect {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Place::Memory | Place::File(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Place::MySql(_) => Dialect::MySql,
        }
    }
}

#[cfg(feature = "postgres")]
impl PostgresUrl {
    fn of(text: &str) -> Self {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let mut kept = Vec::new();
        let mut pgbouncer = None;
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some((PGBOUNCER, value)) => pgbouncer = Some(value == "true"),
                _ => kept.push(parameter),
            }
        }
        let separator = if kept.is_empty() { "" } else { "?" };
        let text = format!("{address}{separator}{}", kept.join("&"));
        Self { text: dolmen_ports::Secret::new(text), pgbouncer }
    }
}

#[cfg(not(all(feature = "mysql", feature = "postgres", feature = "sqlite")))]
fn not_compiled_in(dialect: Dialect) -> Result<DatabaseUrl, DatabaseUrlError> {
    let name = dialect.name();
    wrong(format!("the driver for {name} is not compiled in; rebuild with --features {name}"))
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => wrong("the path of the file is missing; example: sqlite:var/app.db"),
        path if path.contains(['?', '#']) => {
            wrong("a sqlite URL has no parameters; example: sqlite:var/app.db")
        }
        #[cfg(feature = "sqlite")]
        ":memory:" => Ok(DatabaseUrl(Place::Memory)),
        #[cfg(feature = "sqlite")]
        path => Ok(DatabaseUrl(Place::File(path.into()))),
        #[cfg(not(feature = "sqlite"))]
        _ => not_compiled_in(Dialect::Sqlite),
    }
}

fn postgres(text: &str, rest: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    check(rest, &POSTGRES)?;
    #[cfg(feature = "postgres")]
    return Ok(DatabaseUrl(Place::Postgres(PostgresUrl::of(text))));
    #[cfg(not(feature = "postgres"))]
    {
        let _ = text;
        not_compiled_in(Dialect::Postgres)
    }
}

fn mysql(text: &str, rest: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    check(rest, &MYSQL)?;
    #[cfg(feature = "mysql")]
    return Ok(DatabaseUrl(Place::MySql(dolmen_ports::Secret::new(text.to_owned()))));
    #[cfg(not(feature = "mysql"))]
    {
        let _ = text;
        not_compiled_in(Dialect::MySql)
    }
}

fn check(rest: &str, form: &Form) -> Result<(), DatabaseUrlError> {
    let example = form.example;
    let Some(rest) = rest.strip_prefix("//") else {
        return wrong(format!("// is missing after the scheme; example: {example}"));
    };
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    percent_signs(user)?;
    host_and_port(server, parameters, form)?;
    if database.is_empty() {
        return wrong(format!("the database is missing after the host; example: {example}"));
    }
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (known, modes) = (form.parameters, form.ssl_modes);
        let is_option = known.contains(&"options") && name.starts_with("options[") && name.ends_with(']');
        if !known.contains(&name) && !is_option {
            return wrong(format!("a parameter is unknown; known: {}", known.join(", ")));
        }
        if name == PGBOUNCER && !matches!(value, "true" | "false") {
            return wrong(format!("{name} is true or false"));
        }
        if name == form.ssl && !modes.iter().any(|mode| mode.eq_ignore_ascii_case(value)) {
            return wrong(format!("{name} is one of {}", modes.join(", ")));
        }
    }
    Ok(())
}

fn percent_signs(user: &str) -> Result<(), DatabaseUrlError> {
    let sound = user.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        digits.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            && digits.next().is_some_and(|digit| digit.is_ascii_hexdigit())
    });
    if sound { Ok(()) } else { wrong("user and password: write % as %25, @ as %40, / as %2F, : as %3A") }
}

fn host_and_port(server: &str, parameters: &str, form: &Form) -> Result<(), DatabaseUrlError> {
    // An IPv6 address stands in brackets.
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (server, None),
    };
    let elsewhere = parameters
        .split('&')
        .any(|parameter| parameter.strip_prefix(form.host).is_some_and(|value| value.starts_with('=')));
    if host.is_empty() && !elsewhere {
        return wrong(format!("the host is missing; example: {}", form.example));
    }
    match port.map(str::parse::<u16>) {
        None => Ok(()),
        Some(Ok(port)) if port > 0 => Ok(()),
        Some(_) => wrong(
            "the port is not a number from 1 to 65535; when the password holds a / ? # or @, write %2F %3F %23 %40",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "sqlite")]
    fn forms_of_sqlite_are_understood() {
        let file = |text: &str| {
            let DatabaseUrl(Place::File(path)) = DatabaseUrl::parse(text).unwrap() else { panic!("{text}") };
            path.display().to_string()
        };
        assert_eq!(file("sqlite:var/app.db"), "var/app.db");
        assert_eq!(file("sqlite://var/app.db"), "var/app.db");
        assert_eq!(file("sqlite:///var/app.db"), "/var/app.db");
        assert!(matches!(DatabaseUrl::parse("sqlite::memory:").unwrap().0, Place::Memory));
    }

    #[test]
    #[cfg(all(feature = "mysql", feature = "postgres"))]
    fn replicas_are_of_the_same_kind_and_named_by_their_number() {
        let primary = DatabaseUrl::parse("postgres://app@primary/app").unwrap();
        let replicas = |text| DatabaseUrl::parse_replicas(text, &primary).map(|urls| urls.len());
        assert_eq!(replicas(" "), Ok(0));
        assert_eq!(replicas("postgres://app@one/app, postgres://app:a%2Cb@two/app"), Ok(2));
        for (text, part) in [
            ("postgres://app@one/app,", "URL 2: the scheme"),
            ("postgres://app@one/app,mysql://app:hunter2@two/app", "URL 2 is of mysql"),
            ("postgres://app:hunter2@/app", "URL 1: the host"),
        ] {
            let error = replicas(text).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn each_error_names_its_part_and_never_the_password() {
        let cases = [
            ("", "scheme"),
            ("oracle://root:hunter2@localhost/shop", "scheme"),
            ("sqlite:", "path"),
            ("sqlite:a.db?mode=ro", "parameters"),
            ("postgres:app:hunter2@localhost/app", "//"),
            ("postgres://app:hunter2@/app", "host"),
            ("postgres://app:hunter2@localhost", "database"),
            ("postgres://app:hunter2@localhost/", "database"),
            ("postgres://app:hunter2@localhost:54x2/app", "port"),
            ("postgres://app:hunter2@localhost:0/app", "port"),
            ("postgres://app:hunter2/x@localhost/app", "port"),
            ("postgres://app:hunter2%@localhost/app", "%25"),
            ("postgres://app:hunter2%zz@localhost/app", "%25"),
            ("postgres://app:hunter2@localhost/app?sslmode=maybe", "sslmode"),
            ("postgres://app:hunter2@localhost/app?sslmoode=require", "parameter"),
            ("postgres://app:hunter2@localhost/app?pgbouncer=maybe", "pgbouncer"),
            ("postgres://app:hunter2@localhost/app?pgbouncer", "pgbouncer"),
            ("mysql:app:hunter2@localhost/app", "//"),
            ("mysql://app:hunter2@/app", "host"),
            ("mysql://app:hunter2@localhost", "database"),
            ("mysql://app:hunter2@localhost:33o6/app", "port"),
            ("mysql://app:hunter2%@localhost/app", "%25"),
            ("mysql://app:hunter2@localhost/app?ssl-mode=maybe", "ssl-mode"),
            ("mysql://app:hunter2@localhost/app?charset=latin1", "parameter"),
            ("mysql://app:hunter2@localhost/app?options[a]=b", "parameter"),
            ("mysql://app:hunter2@localhost/app?pgbouncer=true", "parameter"),
        ];
        for (text, part) in cases {
            let error = DatabaseUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn forms_of_postgres_are_understood() {
        for text in [
            "postgres://localhost/app",
            "postgresql://app:p%40ss@db.internal:6432/app?sslmode=verify-full&application_name=web",
            "postgres://app@[::1]:5432/app",
            "postgres:///app?host=/var/run/postgresql",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert!(!format!("{url:?}").contains("p%40ss"));
        }
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn what_is_said_of_a_pooler_is_kept_from_the_server() {
        let cases = [
            ("postgres://h/a", "postgres://h/a", None),
            ("postgres://h/a?pgbouncer=true", "postgres://h/a", Some(true)),
            ("postgres://h/a?pgbouncer=false&sslmode=require", "postgres://h/a?sslmode=require", Some(false)),
            (
                "postgres://h/a?sslmode=require&pgbouncer=true&host=b",
                "postgres://h/a?sslmode=require&host=b",
                Some(true),
            ),
        ];
        for (text, kept, pgbouncer) in cases {
            let DatabaseUrl(Place::Postgres(url)) = DatabaseUrl::parse(text).unwrap() else {
                panic!("{text}")
            };
            assert_eq!((url.text.reveal().as_str(), url.pgbouncer), (kept, pgbouncer), "{text}");
        }
    }

    #[test]
    #[cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]
    fn migrations_go_to_the_same_server_without_a_pooler() {
        let check = |main: &str, direct: &str| {
            let (main, direct) = (DatabaseUrl::parse(main).unwrap(), DatabaseUrl::parse(direct).unwrap());
            main.check_migrations(Some(&direct)).map_err(|error| error.to_string())
        };
        assert_eq!(check("postgres://h:6432/a?pgbouncer=true", "postgres://h:5432/a"), Ok(()));
        assert_eq!(check("mysql://h:6033/a", "mariadb://h/a"), Ok(()));
        let refused = |main, direct, part: &str| {
            let error = check(main, direct).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("sqlite:a.db", "sqlite:a.db", "unset");
        refused("postgres://h/a", "mysql://h/a", "DATABASE_URL is postgres");
        refused("postgres://h/a", "postgres://h:6432/a?pgbouncer=true", "pgbouncer=true");
        let alone = |main: &str| DatabaseUrl::parse(main).unwrap().check_migrations(None);
        assert!(
            alone("postgres://h/a?pgbouncer=true").unwrap_err().to_string().contains("without the pooler")
        );
        assert_eq!((alone("postgres://h/a"), alone("sqlite:a.db")), (Ok(()), Ok(())));
    }

    #[test]
    #[cfg(feature = "mysql")]
    fn forms_of_mysql_are_understood() {
        for text in [
            "mysql://localhost/app",
            "mariadb://app:p%40ss@db.internal:3307/app?ssl-mode=VERIFY_IDENTITY",
            "mysql:///app?socket=/run/mysqld/mysqld.sock",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert!(url.dialect() == Dialect::MySql && !format!("{url:?}").contains("p%40ss"));
        }
    }

    #[test]
    #[cfg(not(feature = "mysql"))]
    fn the_mysql_driver_that_is_not_compiled_in_is_named() {
        let error = DatabaseUrl::parse("mysql://localhost/app").unwrap_err().to_string();
        assert!(error.contains("rebuild with --features mysql"), "{error}");
    }

    #[test]
    #[cfg(not(feature = "postgres"))]
    fn a_driver_that_is_not_compiled_in_is_named() {
        let error = DatabaseUrl::parse("postgres://localhost/app").unwrap_err().to_string();
        assert!(error.contains("rebuild with --features postgres"), "{error}");
    }
}
