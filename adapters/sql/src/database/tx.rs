//! The adapter's transaction.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult, Position, TxDriver};

use super::writers::WriterMark;
use crate::driver::Session;
use crate::native::Native;
use crate::replicas::{Reading, Replicas};
use crate::statement::{Bulk, Row, Template, Value};

/// A transaction on a SQL database; what a `ReadTx` or `WriteTx` of this adapter holds.
#[derive(Debug)]
pub struct SqlTx {
    session: Box<dyn Session>,
    state: State,
    /// Where there are replicas, a commit tells from which position on they can be read.
    replicas: Option<Arc<Replicas>>,
    /// Ends with the transaction.
    _mark: Option<Mark>,
}

/// What the transaction counts as, while it is open.
#[derive(Debug)]
#[expect(dead_code, reason = "held until the transaction ends")]
enum Mark {
    Writer(WriterMark),
    Reading(Reading),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Ready for a statement or for the end.
    Open,
    /// A statement is running, or the future that ran it was dropped.
    Running,
    /// A statement failed: only a rollback can follow.
    Failed(ErrorKind),
    /// The connection was lent out, so it is not known whether a statement failed.
    Lent,
}

impl SqlTx {
    pub(crate) fn new(session: Box<dyn Session>, writer: Option<WriterMark>) -> Self {
        Self { session, state: State::Open, replicas: None, _mark: writer.map(Mark::Writer) }
    }

    /// A read on a replica.
    pub(crate) fn on_replica(session: Box<dyn Session>, reading: Reading) -> Self {
        Self { session, state: State::Open, replicas: None, _mark: Some(Mark::Reading(reading)) }
    }

    /// The same, whose commit tells a position.
    pub(crate) fn telling(mut self, replicas: Option<Arc<Replicas>>) -> Self {
        self.replicas = replicas;
        self
    }

    /// The dialect that it speaks.
    pub fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    pub(crate) fn render(&self, template: &'static Template, bulk: Bulk) -> &'static str {
        template.render(self.dialect(), bulk)
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        self.start().await?;
        let result = self.session.execute(sql, values).await;
        self.finish(result)
    }

    pub(crate) async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        self.start().await?;
        let result = self.session.fetch(sql, values).await;
        self.finish(result)
    }

    pub(crate) async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        self.start().await?;
        let result = self.session.run_script(script).await;
        self.finish(result)
    }

    /// The session itself, for who runs single statements and knows what a failed one leaves behind.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn session_mut(&mut self) -> &mut dyn Session {
        &mut *self.session
    }

    pub(crate) fn native(&mut self) -> PortResult<Native<'_>> {
        self.check_usable()?;
        self.state = State::Lent;
        Ok(self.session.native())
    }

    async fn start(&mut self) -> PortResult<()> {
        self.check_usable()?;
        // Outside of a transaction each statement would be committed by itself.
        let lent = std::mem::replace(&mut self.state, State::Running) == State::Lent;
        if lent && !self.session.is_open().await? {
            self.state = State::Failed(ErrorKind::InvalidInput);
            return Err(ended_natively("run a statement"));
        }
        Ok(())
    }

    fn check_usable(&self) -> PortResult<()> {
        match self.state {
            State::Open | State::Lent => Ok(()),
            State::Running | State::Failed(_) => Err(self.ended("run a statement")),
        }
    }

    fn finish<T>(&mut self, result: PortResult<T>) -> PortResult<T> {
        self.state = match &result {
            Ok(_) => State::Open,
            Err(error) => State::Failed(error.kind()),
        };
        result
    }

    fn ended(&self, operation: &'static str) -> PortError {
        let detail = match self.state {
            State::Failed(kind) => format!(
                "an earlier statement failed ({kind}), which ends the transaction; return its error, or avoid it with \
                 {{ignore_conflict ..}}"
            ),
            _ => "the future of an earlier statement was dropped, which ends the transaction".to_owned(),
        };
        PortError::new(ErrorKind::InvalidInput, "database", operation).with_detail(detail)
    }
}

fn ended_natively(operation: &'static str) -> PortError {
    PortError::new(ErrorKind::InvalidInput, "database", operation).with_detail(
        "a native statement failed or ended the transaction; return its error, and begin or end no transaction on a native \
         connection",
    )
}

#[async_trait]
impl TxDriver for SqlTx {
    fn backend(&self) -> &'static str {
        self.dialect().name()
    }

    async fn commit(mut self: Box<Self>) -> PortResult<Option<Position>> {
        if matches!(self.state, State::Failed(_) | State::Running) {
            let error = self.ended("commit");
            // The error to report is the one that ended the transaction: a failed rollback only closes the connection.
            drop(self.rollback().await);
            return Err(error);
        }
        // Servers answer COMMIT with success where there is nothing to commit: on PostgreSQL after a failed statement, on
        // all of them after the transaction has ended.
        if self.state == State::Lent && !self.session.is_open().await? {
            drop(self.rollback().await);
            return Err(ended_natively("commit"));
        }
        let wants_position = self.replicas.as_ref().is_some_and(|replicas| replicas.know_the_log());
        let log = self.session.commit(wants_position).await?;
        Ok(self.replicas.map(|replicas| replicas.position(log)))
    }

    fn position_in_doubt(&mut self) -> Option<Position> {
        self.replicas.as_ref().map(|replicas| replicas.position_in_doubt())
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        match self.state {
            // What the connection is in the middle of is unknown: dropping it closes it, which rolls back.
            State::Running => Ok(()),
            _ => self.session.rollback().await,
        }
    }
}
