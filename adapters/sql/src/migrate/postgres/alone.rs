//! A statement that no transaction takes, and that leaves something behind when it is cut off.

use dolmen_ports::PortResult;

use super::concurrent_index::ConcurrentIndex;
use super::{Span, limit_locks};
use crate::database::{SqlOptions, SqlTx};
use crate::error;

/// The table or index is there already; it is not there.
const IS_THERE: &str = "42P07";
const IS_GONE: &str = "42704";

/// Runs a statement; `in_doubt` when a process has sent it before and was killed, or got an error.
///
/// It may wait for other transactions for as long as a migration is patient: what builds an index concurrently lets reads
/// and writes pass meanwhile.
pub(in crate::migrate) async fn send_alone(
    tx: &mut SqlTx,
    options: &SqlOptions,
    in_doubt: bool,
    statement: &'static str,
    bare: &str,
) -> PortResult<()> {
    limit_locks(tx, options.table_lock_patience, Span::Session).await?;
    let index = ConcurrentIndex::read(bare).filter(|_| in_doubt);
    let result = match &index {
        Some(index) => make_again(tx, index, statement).await,
        None => tx.session_mut().run_script(statement).await,
    };
    limit_locks(tx, options.table_lock_timeout, Span::Session).await?;
    match result {
        Err(error) if in_doubt && index.is_none() && error::code(&error).as_deref() == Some(IS_GONE) => {
            Ok(())
        }
        result => result,
    }
}

/// Makes an index that a process has begun to make before.
async fn make_again(tx: &mut SqlTx, index: &ConcurrentIndex, statement: &'static str) -> PortResult<()> {
    let session = tx.session_mut();
    match index.is_valid(session).await? {
        Some(true) => return Ok(()),
        Some(false) => index.remove(session).await?,
        None => {}
    }
    match session.run_script(statement).await {
        // The server's process of the one that was killed went on, and was done while this one waited.
        Err(error) if error::code(&error).as_deref() == Some(IS_THERE) => {
            match index.is_valid(session).await? {
                Some(true) => Ok(()),
                _ => Err(error),
            }
        }
        result => result,
    }
}
