//! The shapes of closure that users write against `Database::write` and `read`. They have to compile, also in a spawned
//! task, whose future must be `Send`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use dolmen_ports::{
    Database, DatabaseDriver, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, Position,
    ReadFrom, ReadTx, Retryable, Scope, TenantId, TxDriver, TxOptions, Uuid, WriteTx,
};

/// Counts begins, commits and rollbacks.
#[derive(Debug, Default, Clone)]
struct Counting {
    begun: Arc<AtomicU32>,
    committed: Arc<AtomicU32>,
    rolled_back: Arc<AtomicU32>,
}

#[async_trait]
impl DatabaseDriver for Counting {
    fn backend(&self) -> &'static str {
        "counting"
    }
    async fn begin_read(&self, _: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(self.clone()))
    }
    async fn begin_write(&self, _: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(self.clone()))
    }
    async fn migrate(&self, _: &[MigrationSet]) -> PortResult<MigrationReport> {
        Ok(MigrationReport::default())
    }
    async fn pending_migrations(&self, _: &[MigrationSet]) -> PortResult<Vec<String>> {
        Ok(Vec::new())
    }
    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
    async fn pause_before_rerun(&self, _: u32) {}
    async fn close(&self) {}
}

#[async_trait]
impl TxDriver for Counting {
    fn backend(&self) -> &'static str {
        "counting"
    }
    async fn commit(self: Box<Self>) -> PortResult<Option<Position>> {
        self.committed.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }
    async fn rollback(self: Box<Self>) -> PortResult<()> {
        self.rolled_back.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum IssueError {
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for IssueError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Refused => None,
        }
    }
}

async fn query(tx: &mut ReadTx, factor: u32) -> PortResult<u32> {
    tokio_free_yield().await;
    Ok(factor + u32::from(tx.scope() == Scope::System))
}

async fn change(tx: &mut WriteTx, text: &str) -> PortResult<usize> {
    query(tx, 1).await?;
    Ok(text.len())
}

async fn tokio_free_yield() {
    std::future::ready(()).await;
}

fn database() -> (Database, Counting) {
    let driver = Counting::default();
    (Database::new(driver.clone()), driver)
}

fn tenant() -> TenantId {
    TenantId::new(Uuid::nil())
}

/// Runs a future as `tokio::spawn` would take it: `Send` and owned.
fn spawned<T>(future: impl Future<Output = T> + Send + 'static) -> T {
    futures_util::FutureExt::now_or_never(future).unwrap_or_else(|| unreachable!("nothing here waits"))
}

#[test]
fn shape_1_tail_expression_takes_its_error_from_the_function() {
    async fn issue(database: &Database) -> Result<usize, IssueError> {
        database.tenant(tenant()).write(async |tx| Ok(change(tx, "a").await?)).await
    }
    let (database, driver) = database();
    assert_eq!(spawned(async move { issue(&database).await }).unwrap(), 1);
    assert_eq!(driver.committed.load(Ordering::SeqCst), 1);
}

#[test]
fn shape_2_bound_to_a_name_with_the_error_named() {
    async fn issue(database: &Database) -> Result<usize, IssueError> {
        let length = database.system().write(async |tx| Ok::<_, IssueError>(change(tx, "ab").await?)).await?;
        Ok(length + 1)
    }
    let (database, _) = database();
    assert_eq!(spawned(async move { issue(&database).await }).unwrap(), 3);
}

#[test]
fn shape_3_borrows_what_it_captures() {
    let (database, _) = database();
    let lengths = spawned(async move {
        let name = String::from("borrowed");
        let first: PortResult<usize> = database.system().write(async |tx| change(tx, &name).await).await;
        (first.unwrap(), name.len())
    });
    assert_eq!(lengths, (8, 8));
}

#[test]
fn shape_4_clones_inside_what_a_rerun_would_need_again() {
    let (database, _) = database();
    let rows = spawned(async move {
        let lines = vec![String::from("a"), String::from("b")];
        let stored: PortResult<Vec<String>> = database
            .system()
            .write(async |tx| {
                let mut stored = Vec::new();
                for line in lines.clone() {
                    change(tx, &line).await?;
                    stored.push(line);
                }
                Ok(stored)
            })
            .await;
        stored.unwrap()
    });
    assert_eq!(rows.len(), 2);
}

#[test]
fn shape_5_uses_self_of_a_use_case() {
    #[derive(Debug)]
    struct Issue {
        database: Database,
        prefix: String,
    }
    impl Issue {
        async fn run(&self, id: u32) -> Result<usize, IssueError> {
            self.database
                .tenant(tenant())
                .write(async |tx| {
                    if id == 0 {
                        return Err(IssueError::Refused);
                    }
                    change(tx, &self.prefix).await?;
                    Ok(change(tx, "more").await?)
                })
                .await
        }
    }
    let (database, driver) = database();
    let issue = Arc::new(Issue { database, prefix: "p".into() });
    let again = Arc::clone(&issue);
    assert_eq!(spawned(async move { issue.run(1).await }).unwrap(), 4);
    assert!(matches!(spawned(async move { again.run(0).await }), Err(IssueError::Refused)));
    assert_eq!((driver.committed.load(Ordering::SeqCst), driver.rolled_back.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn shape_6_calls_a_port_behind_dyn() {
    #[async_trait]
    trait Invoices: Send + Sync {
        async fn insert(&self, tx: &mut WriteTx, name: &str) -> PortResult<()>;
    }
    struct Memory;
    #[async_trait]
    impl Invoices for Memory {
        async fn insert(&self, tx: &mut WriteTx, name: &str) -> PortResult<()> {
            change(tx, name).await.map(drop)
        }
    }
    let (database, _) = database();
    let invoices: Arc<dyn Invoices> = Arc::new(Memory);
    let done: PortResult<()> =
        spawned(async move { database.system().write(async |tx| invoices.insert(tx, "x").await).await });
    assert!(done.is_ok());
}

#[test]
fn shape_7_returns_a_tuple_and_matches_inside() {
    let (database, _) = database();
    let pair: PortResult<(u32, Option<usize>)> = spawned(async move {
        let wanted = Some(7_u32);
        database
            .system()
            .write(async |tx| {
                let found = match wanted {
                    Some(factor) => query(tx, factor).await?,
                    None => 0,
                };
                let length = if found > 7 { Some(change(tx, "long").await?) } else { None };
                Ok((found, length))
            })
            .await
    });
    assert_eq!(pair.unwrap(), (8, Some(4)));
}

#[test]
fn shape_8_a_read_moves_what_it_captures() {
    let (database, _) = database();
    let text: PortResult<String> = spawned(async move {
        let text = String::from("moved");
        database
            .tenant(tenant())
            .read_from(ReadFrom::Replica, async |tx| {
                query(tx, 1).await?;
                Ok(text)
            })
            .await
    });
    assert_eq!(text.unwrap(), "moved");
}

#[test]
fn contention_reruns_and_ends() {
    let (database, driver) = database();
    let runs = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&runs);
    let result: PortResult<()> = spawned(async move {
        database
            .system()
            .write(async |_tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                Err(PortError::new(ErrorKind::Contention, "database", "write"))
            })
            .await
    });
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Contention);
    assert_eq!(seen.load(Ordering::SeqCst), 4);
    assert_eq!((driver.begun.load(Ordering::SeqCst), driver.rolled_back.load(Ordering::SeqCst)), (4, 4));
}
