//! Into a service that exists already: it has a pool of sqlx, tables and transactions of its own, and keeps them. Our job and
//! our event join the transaction that it has open, so they are there when its order is, and only then. Run it with
//! `cargo run -p dolmen-sql --example existing_service`, or name another database behind `--`.

use std::future::Ready;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use dolmen::{
    App, AppPorts, BoxError, Event, EventPublisher, InlineModule, Job, JobContext, JobError, Jobs, Registrar,
    Scope, WriteTx,
};
use dolmen_sql::{DatabaseUrl, SqlDatabase, SqlOptions};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

const CREATE: &str = "create table shop_order (id integer not null primary key)";
const INSERT: &str = "insert into shop_order (id) select coalesce(max(id), 0) + 1 from shop_order";

/// What the team had before: a pool. A real service has one of these and not all three.
enum Pool {
    Sqlite {
        writer: sqlx::SqlitePool,
        readers: sqlx::SqlitePool,
    },
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

impl Pool {
    async fn connect(url: &str) -> Result<Self, BoxError> {
        match DatabaseUrl::parse(url)?.dialect().name() {
            #[cfg(feature = "postgres")]
            "postgres" => Ok(Self::Postgres(sqlx::PgPool::connect(url).await?)),
            #[cfg(feature = "mysql")]
            "mysql" => Ok(Self::MySql(sqlx::MySqlPool::connect(url).await?)),
            _ => {
                let file = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
                let file = file.journal_mode(SqliteJournalMode::Wal);
                // SQLite has one writer; who only reads is held to it by the database.
                let writer = SqlitePoolOptions::new().max_connections(1).connect_with(file.clone()).await?;
                let readers = SqlitePoolOptions::new().connect_lazy_with(file.pragma("query_only", "1"));
                Ok(Self::Sqlite { writer, readers })
            }
        }
    }

    /// The framework on the same connections. The pool stays the team's.
    fn shared(&self) -> SqlDatabase {
        let options = SqlOptions::new();
        match self {
            Self::Sqlite { writer, readers } => {
                SqlDatabase::from_sqlite_pools(writer.clone(), readers.clone(), options)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => SqlDatabase::from_postgres_pool(pool.clone(), options),
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => SqlDatabase::from_mysql_pool(pool.clone(), options),
        }
    }

    async fn create_table(&self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => sqlx::query(CREATE).execute(writer).await.map(drop),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => sqlx::query(CREATE).execute(pool).await.map(drop),
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => sqlx::query(CREATE).execute(pool).await.map(drop),
        }
    }

    async fn orders(&self) -> Result<i64, sqlx::Error> {
        let count = "select count(*) from shop_order";
        match self {
            Self::Sqlite { readers, .. } => sqlx::query_scalar(count).fetch_one(readers).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => sqlx::query_scalar(count).fetch_one(pool).await,
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => sqlx::query_scalar(count).fetch_one(pool).await,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SendReceipt {
    to: String,
}

impl Job for SendReceipt {
    const KIND: &'static str = "shop.send_receipt";
}

#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    by: String,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "shop.order_placed.v1";
}

/// The team's own code, as it was but for the lines with `adopt_…`, `jobs` and `events`.
struct Shop {
    pool: Pool,
    sql: SqlDatabase,
    jobs: Jobs,
    events: EventPublisher,
}

impl Shop {
    /// Inserts an order in a transaction of the team's own, and hands the transaction over.
    async fn insert_order(&self) -> Result<WriteTx, sqlx::Error> {
        Ok(match &self.pool {
            Pool::Sqlite { writer, .. } => {
                let mut transaction = writer.begin_with("begin immediate").await?;
                sqlx::query(INSERT).execute(&mut *transaction).await?;
                self.sql.adopt_sqlite(transaction, Scope::System)
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query(INSERT).execute(&mut *transaction).await?;
                self.sql.adopt_postgres(transaction, Scope::System)
            }
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query(INSERT).execute(&mut *transaction).await?;
                self.sql.adopt_mysql(transaction, Scope::System)
            }
        })
    }

    async fn place_order(&self, customer: &str, card_is_good: bool) -> Result<(), BoxError> {
        let mut tx = self.insert_order().await?;
        self.jobs.enqueue(&mut tx, &SendReceipt { to: customer.to_owned() }).await?;
        self.events.publish(&mut tx, &OrderPlaced { by: customer.to_owned() }).await?;
        if !card_is_good {
            // Dropping it, or `tx.rollback()`, undoes the order, the job and the event.
            return Err("the card was refused".into());
        }
        Ok(tx.commit().await?)
    }
}

type Said = Arc<Mutex<Vec<String>>>;

/// What a handler does here: it says so, and succeeds.
fn say(said: &Said, words: String) -> Ready<Result<(), JobError>> {
    said.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    std::future::ready(Ok(()))
}

/// What is done about orders later: registered like any module, without a table of its own.
fn register(registrar: &mut Registrar<'_>, said: &Said) {
    let (receipts, warehouse) = (Arc::clone(said), Arc::clone(said));
    registrar.event::<OrderPlaced>();
    registrar.job(move |job: SendReceipt, _: JobContext| say(&receipts, format!("receipt for {}", job.to)));
    registrar.subscribe("warehouse", move |event: OrderPlaced, _: JobContext| {
        say(&warehouse, format!("parcel for {}", event.by))
    });
}

/// Places two orders, of which the first fails at its end; returns how many are there and what followed from them.
pub(crate) async fn run(url: &str) -> Result<(i64, Vec<String>), BoxError> {
    let pool = Pool::connect(url).await?;
    pool.create_table().await?;

    let sql = pool.shared();
    let ports = AppPorts::from(sql.stores());
    // The framework's own tables, beside the team's; they begin with `dolmen_`.
    ports.database().migrate(&[dolmen_sql::MIGRATIONS]).await?;
    let said = Said::default();
    let module = {
        let said = Arc::clone(&said);
        InlineModule::new("shop", move |registrar| register(registrar, &said))
    };
    let app = App::builder(ports.clone()).module(module).build();
    app.verify()?;

    let shop = Shop { pool, sql, jobs: ports.jobs(), events: ports.events() };
    if shop.place_order("Ada", false).await.is_ok() {
        return Err("an order was placed with a bad card".into());
    }
    shop.place_order("Bob", true).await?;

    // A service would run the worker beside its own server: `app.run(roles)`.
    app.due_jobs().run().await?;
    let orders = shop.pool.orders().await?;
    // The pool is shared, so this ends it for the team's own code as well.
    ports.database().close().await;
    let mut said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
    said.sort();
    Ok((orders, said))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let file = std::env::temp_dir().join(format!("dolmen-existing-service-{}.db", std::process::id()));
    let url = std::env::args().nth(1).unwrap_or_else(|| format!("sqlite:{}", file.display()));
    let (orders, said) = run(&url).await?;
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    println!("{orders} order of 2: {}", said.join(", "));
    Ok(())
}
