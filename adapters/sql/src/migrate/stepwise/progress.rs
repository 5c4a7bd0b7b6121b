//! How far a migration came: the table `dolmen_migration_progress`.

use dolmen_ports::{ErrorKind, Migration, MigrationSet, PortError, PortResult};

use crate::database::SqlTx;
use crate::migrate::plan::checksum;
use crate::statement::{FromRow, framework_sql};

#[derive(Debug)]
pub(super) struct Progress {
    module: &'static str,
    name: &'static str,
    /// How many statements are committed.
    pub(super) committed: usize,
    /// The checksum of those.
    pub(super) checksum: String,
    /// The next statement had been sent before, without an answer.
    pub(super) in_doubt: bool,
}

impl Progress {
    pub(super) async fn read(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<Self> {
        let (module, name) = (set.module.as_str(), migration.name);
        let rows = framework_sql!(
            "select committed, checksum, in_doubt from dolmen_migration_progress where module = ? and name = ?",
            module,
            name
        )
        .fetch_in(tx)
        .await?;
        let (committed, checksum, in_doubt) = match rows.first() {
            Some(row) => FromRow::from_row(row)?,
            None => (0_u32, checksum(""), false),
        };
        let committed = usize::try_from(committed).unwrap_or(usize::MAX);
        Ok(Self { module, name, committed, checksum, in_doubt })
    }

    /// Notes that the next statement is sent.
    pub(super) async fn begin(&self, tx: &mut SqlTx) -> PortResult<()> {
        framework_sql!(
            "insert into dolmen_migration_progress (module, name, committed, checksum, in_doubt)
             values (?, ?, ?, ?, ?) {on_conflict module, name} in_doubt = {new in_doubt}",
            self.module,
            self.name,
            self.count(),
            &self.checksum,
            true
        )
        .execute_in(tx)
        .await
        .map(drop)
    }

    /// Records the answer: the next statement is committed, and `sum` is the checksum of all that are.
    pub(super) async fn commit(&self, tx: &mut SqlTx, sum: &str) -> PortResult<()> {
        answer(tx, self, self.count() + 1, sum).await
    }

    /// Records the answer: nothing of the next statement is there.
    pub(super) async fn nothing_more(&self, tx: &mut SqlTx) -> PortResult<()> {
        answer(tx, self, self.count(), &self.checksum).await
    }

    /// The next statement is committed, and that is recorded.
    pub(super) fn advance(&mut self, sum: String) {
        self.committed += 1;
        self.checksum = sum;
        self.in_doubt = false;
    }

    /// Removes the record of a migration that is applied.
    pub(super) async fn forget(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<()> {
        framework_sql!(
            "delete from dolmen_migration_progress where module = ? and name = ?",
            set.module.as_str(),
            migration.name
        )
        .execute_in(tx)
        .await
        .map(drop)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.committed).unwrap_or(u32::MAX)
    }
}

async fn answer(tx: &mut SqlTx, progress: &Progress, committed: u32, sum: &str) -> PortResult<()> {
    let rows = framework_sql!(
        "update dolmen_migration_progress set committed = ?, checksum = ?, in_doubt = ?
         where module = ? and name = ? and committed = ?",
        committed,
        sum,
        false,
        progress.module,
        progress.name,
        progress.count()
    )
    .execute_in(tx)
    .await?;
    if rows == 1 {
        return Ok(());
    }
    // The lock was lost, such as with a session that somebody ended, and another run took it.
    Err(PortError::new(ErrorKind::Conflict, "database", "migrate").with_detail(format!(
        "migrate/locked: {}/{} is being applied by another run too; let that one end, then run migrate again",
        progress.module, progress.name
    )))
}
