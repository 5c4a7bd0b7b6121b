//! F28: the schema changes under transactions that run. Who prepared a statement before does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dolmen::ports::Dialect;
use dolmen::{BoxError, Database, PortResult, ReadFrom, ReadTx, WriteTx};
use dolmen_sql::{SqlDatabase, SqlOptions, sql};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::native::change;

/// Half of them read, half of them write.
const WORKERS: usize = 6;
/// Between two changes, so that all have prepared their statements again.
const PAUSE: Duration = Duration::from_millis(20);

/// What a worker does again and again.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Read,
    Write,
    /// By hand, where nobody runs it again.
    WriteOnce,
    /// Something else is read first, so that the change comes in the middle.
    ReadLate,
}

struct Stage {
    database: Database,
    over: AtomicBool,
    units: AtomicU64,
    /// How often a unit was run again.
    reruns: AtomicU64,
    visible: Mutex<Vec<String>>,
}

pub(super) async fn play(url: &str, changes: u32, no_rerun: bool) -> Result<Value, BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new()).await?;
    let dialect = sql.dialect();
    let stage = Arc::new(Stage {
        database: sql.database(),
        over: AtomicBool::new(false),
        units: AtomicU64::new(0),
        reruns: AtomicU64::new(0),
        visible: Mutex::default(),
    });
    let fill =
        async |tx: &mut WriteTx| sql!("insert into chaos_shape (id, last) values (1, 0)").execute(tx).await;
    stage.database.system().write(fill).await?;
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let stage = Arc::clone(&stage);
        let unit = match (worker % 2 == 0, no_rerun) {
            (true, false) => Unit::Read,
            (true, true) => Unit::ReadLate,
            (false, false) => Unit::Write,
            (false, true) => Unit::WriteOnce,
        };
        workers.spawn(async move { stage.repeat(unit).await });
    }
    for statement in statements(dialect).into_iter().cycle().take(usize::try_from(changes)?) {
        tokio::time::sleep(PAUSE).await;
        change(&stage.database, statement).await?;
    }
    stage.over.store(true, Ordering::SeqCst);
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    let visible = stage.visible.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(json!({
        "changes": changes,
        "units": stage.units.load(Ordering::SeqCst),
        "reruns": stage.reruns.load(Ordering::SeqCst),
        "visible": visible.len(),
        "example": visible.first(),
    }))
}

/// A column is added, another one changes its type, and back.
fn statements(dialect: Dialect) -> [&'static str; 4] {
    let (wide, narrow) = match dialect {
        Dialect::MySql => (
            "alter table chaos_shape modify last bigint not null",
            "alter table chaos_shape modify last integer not null",
        ),
        _ => (
            "alter table chaos_shape alter column last type bigint",
            "alter table chaos_shape alter column last type integer",
        ),
    };
    let (add, drop) =
        ("alter table chaos_shape add column more integer", "alter table chaos_shape drop column more");
    [add, wide, drop, narrow]
}

impl Stage {
    async fn repeat(&self, unit: Unit) {
        while !self.over.load(Ordering::SeqCst) {
            self.units.fetch_add(1, Ordering::SeqCst);
            let ended = match unit {
                Unit::Read => self.read().await,
                Unit::Write => self.write().await,
                Unit::WriteOnce => self.write_once().await,
                Unit::ReadLate => self.read_late().await,
            };
            if let Err(error) = ended {
                self.visible.lock().unwrap_or_else(PoisonError::into_inner).push(error.chain());
            }
        }
    }

    async fn read(&self) -> PortResult<()> {
        self.database.system().read(async |tx: &mut ReadTx| look(tx).await).await
    }

    async fn write(&self) -> PortResult<()> {
        let runs = AtomicU64::new(0);
        let write = async |tx: &mut WriteTx| {
            self.reruns.fetch_add(runs.fetch_add(1, Ordering::SeqCst).min(1), Ordering::SeqCst);
            change_rows(tx).await
        };
        self.database.system().write(write).await
    }

    async fn write_once(&self) -> PortResult<()> {
        let mut tx = self.database.system().begin().await?;
        change_rows(&mut tx).await?;
        tx.commit().await
    }

    async fn read_late(&self) -> PortResult<()> {
        let mut tx = self.database.system().begin_read(ReadFrom::Primary).await?;
        let _: (i64,) = sql!("select count(*) from chaos_unit").fetch_one(&mut tx).await?;
        tokio::time::sleep(PAUSE).await;
        look(&mut tx).await?;
        tx.end().await
    }
}

/// Not the row itself: PostgreSQL writes a table anew when a column changes its type, and who began before finds the
/// new one empty, as its manual warns.
async fn look(tx: &mut ReadTx) -> PortResult<()> {
    let _: (Option<i64>,) = sql!("select max(last) from chaos_shape").fetch_one(tx).await?;
    Ok(())
}

async fn change_rows(tx: &mut WriteTx) -> PortResult<()> {
    sql!("insert into chaos_unit (unit, part) values (1, 1)").execute(tx).await?;
    look(tx).await?;
    sql!("update chaos_shape set last = last + 1").execute(tx).await.map(drop)
}
