//! The fragments that a statement's text may hold in braces: what each dialect writes for them.

use dolmen_ports::Dialect;

/// What the MySQL family reports as the last inserted id when `{ignore_conflict}` found its key: `dolmen` in ASCII. The
/// number of matched rows does not tell, and a plain insert would hold the row in a way that ends in deadlocks.
pub(crate) const IGNORED: u64 = 0x646f_6c6d_656e;

/// How the MySQL family begins what it does about a conflict.
pub(crate) const UPSERT: &str = "on duplicate key update";

/// Something that dialects write differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fragment {
    ForUpdate,
    SkipLocked,
    OnConflict,
    IgnoreConflict,
    New,
    Rows,
    List,
    Int,
    Now,
    NowPlus,
}

/// Every fragment with its name; the name is also what an error message shows.
const ALL: [(Fragment, &str); 10] = [
    (Fragment::ForUpdate, "for_update"),
    (Fragment::SkipLocked, "skip_locked"),
    (Fragment::OnConflict, "on_conflict"),
    (Fragment::IgnoreConflict, "ignore_conflict"),
    (Fragment::New, "new"),
    (Fragment::Rows, "rows"),
    (Fragment::List, "list"),
    (Fragment::Int, "int"),
    (Fragment::Now, "now"),
    (Fragment::NowPlus, "now_plus"),
];

impl Fragment {
    /// The fragment whose name is these bytes.
    #[expect(clippy::indexing_slicing, reason = "const fn has no iterators; the bounds are checked above")]
    pub(crate) const fn named(name: &[u8]) -> Option<Self> {
        let mut index = 0;
        while index < ALL.len() {
            let (fragment, known) = ALL[index];
            if super::scan::equal(name, known.as_bytes()) {
                return Some(fragment);
            }
            index += 1;
        }
        None
    }

    /// Whether something has to follow the name, such as `int`'s expression.
    pub(crate) const fn takes_argument(self) -> bool {
        matches!(self, Self::OnConflict | Self::IgnoreConflict | Self::New | Self::Int | Self::NowPlus)
    }

    /// What stands before and after the fragment's argument. `{rows}` and `{list}` are expanded by the renderer.
    pub(crate) const fn around(self, dialect: Dialect) -> (&'static str, &'static str) {
        match dialect {
            Dialect::Sqlite => self.around_in_sqlite(),
            Dialect::MySql => self.around_in_mysql(),
            // PostgreSQL; a new dialect adds its arm above.
            _ => self.around_in_postgres(),
        }
    }

    const fn around_in_sqlite(self) -> (&'static str, &'static str) {
        match self {
            // BEGIN IMMEDIATE holds the whole file.
            Self::ForUpdate | Self::SkipLocked | Self::Rows | Self::List => ("", ""),
            Self::OnConflict => ("on conflict (", ") do update set"),
            Self::IgnoreConflict => ("on conflict (", ") do nothing"),
            Self::New => ("excluded.", ""),
            Self::Int => ("cast(", " as integer)"),
            Self::Now => ("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')", ""),
            Self::NowPlus => {
                ("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', printf('%+.3f seconds', ", " / 1000000.0))")
            }
        }
    }

    const fn around_in_postgres(self) -> (&'static str, &'static str) {
        match self {
            Self::Rows | Self::List => ("", ""),
            Self::ForUpdate => ("for update", ""),
            Self::SkipLocked => ("for update skip locked", ""),
            Self::OnConflict => ("on conflict (", ") do update set"),
            Self::IgnoreConflict => ("on conflict (", ") do nothing"),
            Self::New => ("excluded.", ""),
            // A cast alone would round where SQLite cuts off.
            Self::Int => ("trunc((", ")::numeric)::bigint"),
            Self::Now => ("statement_timestamp()", ""),
            Self::NowPlus => ("(statement_timestamp() + ", " * interval '1 microsecond')"),
        }
    }

    const fn around_in_mysql(self) -> (&'static str, &'static str) {
        match self {
            // The renderer writes the conflicts: the family has no place for their argument.
            Self::Rows | Self::List | Self::OnConflict | Self::IgnoreConflict => ("", ""),
            Self::ForUpdate => ("for update", ""),
            Self::SkipLocked => ("for update skip locked", ""),
            Self::New => ("values(", ")"),
            // A cast alone would round where SQLite cuts off.
            Self::Int => ("cast(truncate(", ", 0) as signed)"),
            Self::Now => ("utc_timestamp(6)", ""),
            Self::NowPlus => ("(utc_timestamp(6) + interval ", " microsecond)"),
        }
    }
}
