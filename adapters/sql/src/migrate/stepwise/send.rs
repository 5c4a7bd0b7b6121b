//! One statement and its record.

use dolmen_ports::{Dialect, PortError, PortResult};

use super::progress::Progress;
#[cfg(feature = "postgres")]
use super::script::bare;
use crate::database::{SqlOptions, SqlTx};
use crate::driver::Backend;
use crate::error;
#[cfg(feature = "postgres")]
use crate::migrate::postgres::{send_alone, watched};

/// Sends statements.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "only PostgreSQL says who is in the way, and has statements that run alone")
)]
pub(super) struct Sender<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) process: i64,
    pub(super) options: &'a SqlOptions,
}

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: PortError,
    /// Who was in its way.
    pub(super) blockers: String,
    /// The server answered, and what it answered means that nothing of the statement is there.
    pub(super) is_nothing_there: bool,
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self { error, blockers: String::new(), is_nothing_there: false }
    }
}

impl Sender<'_> {
    /// Sends the next statement, and records that it is committed.
    pub(super) async fn send(
        &self,
        tx: &mut SqlTx,
        progress: &Progress,
        statement: &'static str,
        sum: &str,
    ) -> Result<(), Failure> {
        progress.begin(tx).await?;
        let (result, blockers) = match tx.dialect() {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => {
                let work = together(tx, progress, statement, sum);
                watched(self.backend, self.process, work).await
            }
            _ => (together(tx, progress, statement, sum).await, String::new()),
        };
        let Err(error) = result else { return Ok(()) };
        match tx.dialect() {
            #[cfg(feature = "postgres")]
            Dialect::Postgres if error::code(&error).as_deref() == Some(NO_TRANSACTION) => {
                let bare = bare(statement, Dialect::Postgres);
                // Whatever it answers, something may be there: an index that cannot be used, for one.
                send_alone(tx, self.options, progress.in_doubt, statement, bare).await?;
                Ok(progress.commit(tx, sum).await?)
            }
            // It was committed by a process that was killed before it could say so.
            #[cfg(feature = "mysql")]
            Dialect::MySql
                if progress.in_doubt
                    && error::mysql::number(&error).is_some_and(error::mysql::is_made_already) =>
            {
                Ok(progress.commit(tx, sum).await?)
            }
            // Silence leaves the statement in doubt.
            _ => Err(Failure { is_nothing_there: error::code(&error).is_some(), blockers, error }),
        }
    }
}

/// The statement cannot run inside of a transaction.
#[cfg(feature = "postgres")]
const NO_TRANSACTION: &str = "25001";

/// A statement and its record: one transaction, unless the statement is one that commits itself.
async fn together(tx: &mut SqlTx, progress: &Progress, statement: &'static str, sum: &str) -> PortResult<()> {
    tx.run_script("start transaction").await?;
    // On the session, because a statement may fail, which ends the transaction and not the run.
    if let Err(error) = tx.session_mut().run_script(statement).await {
        drop(tx.session_mut().run_script("rollback").await);
        return Err(error);
    }
    progress.commit(tx, sum).await?;
    tx.run_script("commit").await
}
