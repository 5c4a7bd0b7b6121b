//! Schema changes: numbered, per module, written in each dialect.

use crate::module::ModuleName;

/// The SQL dialect of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB and MySQL.
    MySql,
}

impl Dialect {
    /// The name, as in folder names and URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }
}

/// One schema change. Never edited once it was applied anywhere: add another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// `NNNN_name`: four digits in order without a gap from 0001, then what it does.
    pub name: &'static str,
    /// The statements for SQLite.
    pub sqlite: &'static str,
    /// The statements for PostgreSQL.
    pub postgres: &'static str,
    /// The statements for MariaDB and MySQL, if there are any: each one is committed by itself.
    pub mysql: Option<&'static str>,
}

impl Migration {
    /// A migration. The macro [`migrations!`](crate::migrations) reads them from files.
    pub const fn new(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres, mysql: None }
    }

    /// The same, for MariaDB and MySQL too. Without it an adapter refuses to apply the migration there.
    #[must_use]
    pub const fn with_mysql(mut self, mysql: &'static str) -> Self {
        self.mysql = Some(mysql);
        self
    }

    /// The statements for a dialect; empty when there are none.
    pub const fn sql(&self, dialect: Dialect) -> &'static str {
        match (dialect, self.mysql) {
            (Dialect::Sqlite, _) => self.sqlite,
            (Dialect::Postgres, _) => self.postgres,
            (Dialect::MySql, Some(mysql)) => mysql,
            (Dialect::MySql, None) => "",
        }
    }

    /// Whether it was written for a dialect.
    pub const fn is_for(&self, dialect: Dialect) -> bool {
        !matches!((dialect, self.mysql), (Dialect::MySql, None))
    }
}

/// The migrations of one module, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationSet {
    /// Whose tables they change.
    pub module: ModuleName,
    /// In the order in which they are applied.
    pub migrations: &'static [Migration],
}

impl MigrationSet {
    /// A set of a module.
    pub const fn new(module: ModuleName, migrations: &'static [Migration]) -> Self {
        Self { module, migrations }
    }

    /// No migrations, for a module without tables.
    pub const fn none(module: ModuleName) -> Self {
        Self { module, migrations: &[] }
    }
}

/// What a run of `migrate` did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationReport {
    /// The migrations it applied, as `module/0001_name`.
    pub applied: Vec<String>,
    /// How many were applied before.
    pub already: usize,
}

impl MigrationReport {
    /// A report.
    pub fn new(applied: Vec<String>, already: usize) -> Self {
        Self { applied, already }
    }
}

/// Embeds a module's migrations from `migrations/<dialect>/<name>.sql` of the calling crate. For a constant: a file with an
/// unknown marker ([`MigrationMarkers`](crate::MigrationMarkers)) does not compile.
///
/// ```text
/// const MIGRATIONS: MigrationSet = dolmen_ports::migrations!(ModuleName::new("invoices"), "0001_invoices", "0002_lines");
/// ```
#[macro_export]
macro_rules! migrations {
    ($module:expr $(, $name:literal)* $(,)?) => {
        {
            const EMBEDDED_MIGRATIONS: &[$crate::Migration] = &[$({
                let migration = $crate::Migration::new(
                    $name,
                    ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql")),
                    ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, ".sql")),
                ).with_mysql(
                    ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/migrations/mysql/", $name, ".sql")),
                );
                ::core::assert!(
                    migration.has_known_markers(),
                    ::core::concat!(
                        "a line `-- dolmen: ...` of migrations/*/", $name, ".sql is not known or stands below a statement; \
                         known: `no transaction`, `breaks older binaries`, `allow <rule>: <reason>`"
                    )
                );
                migration
            }),*];
            $crate::MigrationSet::new($module, EMBEDDED_MIGRATIONS)
        }
    };
}
