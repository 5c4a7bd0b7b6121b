//! A module with jobs whose effect is a row.

use std::time::Duration;

use dolmen::{
    Database, ErrorKind, Job, JobContext, JobError, JobHandler, MigrationSet, Module, ModuleName, PortResult,
    Registrar, WriteTx, migrations,
};
use dolmen_sql::sql;
use serde::{Deserialize, Serialize};

use crate::journal::Journal;
use crate::sabotage::Sabotage;
use crate::task::TaskDoer;
use crate::ticks;

const NAME: ModuleName = ModuleName::new("chaos");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_chaos", "0002_play");

/// A job that takes a few milliseconds, more or less by its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeaveAMark {
    pub(crate) number: u32,
}

impl Job for LeaveAMark {
    const KIND: &'static str = "chaos.leave_a_mark";
}

/// Leaves marks, and notes in the journal when it begins and ends.
#[derive(Debug, Clone)]
pub(crate) struct MarkLeaver {
    pub(crate) database: Database,
    pub(crate) journal: Journal,
    pub(crate) sabotage: Option<Sabotage>,
}

impl JobHandler<LeaveAMark> for MarkLeaver {
    async fn run(&self, job: LeaveAMark, context: JobContext) -> Result<(), JobError> {
        let work = Duration::from_millis(5 + u64::from(job.number) * 7 % 53);
        self.journal.note("begin", &context).map_err(JobError::retry)?;
        tokio::time::sleep(work).await;
        let effect = async |tx: &mut WriteTx| leave_a_mark(tx, &context).await;
        if self.sabotage == Some(Sabotage::EffectApart) {
            self.database.scope(context.scope()).write(effect).await?;
            tokio::time::sleep(work).await;
        } else if let Err(error) = context.complete(effect).await {
            let event = if error.kind() == ErrorKind::LeaseLost { "refused" } else { "failed" };
            self.journal.note(event, &context).map_err(JobError::retry)?;
            return Err(error.into());
        }
        self.journal.note("end", &context).map_err(JobError::retry)
    }
}

pub(crate) async fn leave_a_mark(tx: &mut WriteTx, context: &JobContext) -> PortResult<()> {
    let (job, process) = (context.id().to_string(), i64::from(std::process::id()));
    sql!("insert into chaos_effect (job, process) values (?, ?)", &job, process).execute(tx).await?;
    Ok(())
}

/// The module.
#[derive(Debug)]
pub(crate) struct ChaosModule {
    pub(crate) marks: MarkLeaver,
    pub(crate) tasks: TaskDoer,
    /// Whether there is a schedule that catches up with all ticks.
    pub(crate) backfill: bool,
    pub(crate) zone: Option<&'static str>,
}

impl Module for ChaosModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.job::<LeaveAMark>(self.marks.clone());
        registrar.job(self.tasks.clone());
        ticks::register(registrar, self.backfill, self.zone);
    }
}
