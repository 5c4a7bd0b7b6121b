//! A database that was opened as a module: what belongs to the module works, and what belongs to a neighbour fails,
//! whatever way its statement took, with an error that names the module and the table. On PostgreSQL the neighbour's table
//! is there and refused; on the other databases it is not there.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    BoxError, ClaimRequest, Database, Dialect, ErrorKind, JobQueue, KnownKind, PortError, PortResult, ReadTx,
    Uuid, WorkerId,
};
use dolmen_sql::test_database::TestDatabase;
use dolmen_sql::{Native, SqlDatabase, SqlJobQueue, native, native_error, sql};
use dolmen_testkit::conformance::{Case, CaseResult, Harness, Suite};

use crate::connections::job;
use crate::scratch::SCRATCH;

/// The module of the suite's tables, as a guest in a database that it shares.
pub(crate) struct Guest {
    sql: SqlDatabase,
    database: Database,
    place: Mutex<Option<TestDatabase>>,
}

impl Guest {
    pub(crate) async fn on_sqlite() -> Result<Self, BoxError> {
        Self::of(TestDatabase::sqlite()).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        use dolmen_ports::{Migration, MigrationSet, ModuleName};
        /// Another module, whose table lies in the same database.
        const NEIGHBOUR: MigrationSet = MigrationSet::new(
            ModuleName::new("neighbour"),
            &[Migration::new(
                "0001_item",
                "",
                "create table neighbour_item (id bigint not null primary key)",
            )],
        );
        let place = TestDatabase::postgres().await?;
        place.open(&[NEIGHBOUR]).await?.close().await;
        Self::of(place).await
    }

    #[cfg(not(feature = "postgres"))]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature postgres is off".into())).await
    }

    #[cfg(feature = "mysql")]
    pub(crate) async fn on_mysql() -> Result<Self, BoxError> {
        Self::of(TestDatabase::mysql().await?).await
    }

    #[cfg(not(feature = "mysql"))]
    pub(crate) async fn on_mysql() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature mysql is off".into())).await
    }

    async fn of(place: TestDatabase) -> Result<Self, BoxError> {
        let sql = place.connect_as_module(SCRATCH).await?;
        let database = sql.database().for_module(SCRATCH.module);
        Ok(Self { sql, database, place: Mutex::new(Some(place)) })
    }

    fn is_on_postgres(&self) -> bool {
        self.sql.dialect() == Dialect::Postgres
    }
}

#[async_trait]
impl Harness for Guest {
    async fn tear_down(&self) {
        let place = self.place.lock().ok().and_then(|mut place| place.take());
        if let Some(place) = place {
            place.remove(&self.database).await;
        }
    }
}

type H = Arc<Guest>;

pub(crate) fn cases<F, Fut>(label: &'static str, fresh: F) -> Vec<Case>
where
    F: Fn() -> Fut + Send + Sync + Copy + 'static,
    Fut: Future<Output = Result<Guest, BoxError>> + Send + 'static,
{
    Suite::new("ownership")
        .case("own_tables_and_the_ports_of_the_framework_work", |h| Box::pin(what_is_own_works(h)))
        .case("a_statement_that_the_compiler_let_through_fails", |h| Box::pin(a_statement_fails(h)))
        .case("a_native_statement_fails", |h| Box::pin(a_native_statement_fails(h)))
        .needs("roles of the database", label == "postgres")
        .case("the_schema_cannot_be_changed", |h| Box::pin(the_schema_cannot_be_changed(h)))
        .case("a_role_goes_with_its_database", |h| Box::pin(a_role_goes_with_its_database(h)))
        .cases(label, move || {
            let guest = fresh();
            async { guest.await.map(Arc::new) }
        })
}

async fn what_is_own_works(guest: H) -> CaseResult {
    let queue = SqlJobQueue::new(&guest.sql);
    let stored: PortResult<u64> = guest
        .database
        .system()
        .write(async |tx| {
            queue.enqueue(tx, vec![job()]).await?;
            sql!("insert into dolmen_sql_counter (name, last) values ('a', 7)").execute(tx).await
        })
        .await;
    assert_eq!(stored?, 1);
    let request = ClaimRequest::new(
        WorkerId::new(Uuid::from_u128(2)),
        vec![KnownKind::new(job().kind, 1)],
        1,
        Duration::from_mins(1),
    );
    let claimed = queue.claim(&request).await?.pop().unwrap();
    let completed: PortResult<()> = guest
        .database
        .system()
        .write(async |tx| {
            sql!("delete from dolmen_sql_counter").execute(tx).await?;
            queue.complete(tx, &claimed.lease).await
        })
        .await;
    Ok(completed?)
}

/// The error is about this table, and says whose transaction wanted it.
#[track_caller]
fn assert_names_both(error: &PortError) {
    let text = error.to_string();
    assert!(text.contains("the module dolmen_sql") && text.contains("table neighbour_item"), "{text}");
    assert!(text.contains("asks other modules through their api"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Internal, "{text}");
}

async fn a_statement_fails(guest: H) -> CaseResult {
    // The compiler reads one name after `from`; a comma after a subquery is where it no longer looks.
    let read: PortResult<Vec<(i64,)>> = guest
        .database
        .system()
        .read(async |tx| {
            sql!("select i.id from (select last from dolmen_sql_counter) as c, neighbour_item as i")
                .fetch_all(tx)
                .await
        })
        .await;
    assert_names_both(&read.unwrap_err());
    Ok(())
}

/// Runs a statement that is the same on every database on the native connection.
async fn run(tx: &mut ReadTx, statement: &'static str) -> PortResult<()> {
    let result = match native(tx)? {
        Native::Sqlite(connection) => sqlx::query(statement).execute(connection).await.map(drop),
        #[cfg(feature = "postgres")]
        Native::Postgres(connection) => sqlx::query(statement).execute(connection).await.map(drop),
        #[cfg(feature = "mysql")]
        Native::MySql(connection) => sqlx::query(statement).execute(connection).await.map(drop),
        _ => Ok(()),
    };
    result.map_err(|error| native_error(tx, error, "run natively"))
}

async fn a_native_statement_fails(guest: H) -> CaseResult {
    for statement in [
        "select id from neighbour_item",
        "insert into neighbour_item (id) values (1)",
        "update neighbour_item set id = 2",
        "delete from neighbour_item",
    ] {
        let result: PortResult<()> = guest.database.system().write(async |tx| run(tx, statement).await).await;
        assert_names_both(&result.unwrap_err());
    }
    Ok(())
}

async fn the_schema_cannot_be_changed(guest: H) -> CaseResult {
    for (statement, words) in [
        ("create table dolmen_sql_more (id bigint)", "the schema public"),
        ("alter table dolmen_sql_counter add column more bigint", "the table dolmen_sql_counter"),
        ("drop table neighbour_item", "the table neighbour_item"),
        ("delete from dolmen_migration", "the table dolmen_migration"),
    ] {
        let result: PortResult<()> = guest.database.system().write(async |tx| run(tx, statement).await).await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    }
    Ok(())
}

async fn a_role_goes_with_its_database(guest: H) -> CaseResult {
    assert!(guest.is_on_postgres());
    let user: PortResult<(String,)> = guest
        .database
        .system()
        .read(async |tx| sql!("select cast(current_user as text)").fetch_one(tx).await)
        .await;
    let (role,) = user?;
    assert!(role.starts_with("dolmen_test_") && role.ends_with("_dolmen_sql"), "{role}");
    let count = async |database: &Database| -> PortResult<i64> {
        database.system().read(async |tx| roles_called(tx, &role).await).await
    };
    assert_eq!(count(&guest.database).await?, 1);
    let place = guest.place.lock().unwrap().take().unwrap();
    place.remove(&guest.database).await;
    let other = Guest::on_postgres().await.unwrap();
    let left = count(&other.database).await;
    other.tear_down().await;
    assert_eq!(left?, 0);
    Ok(())
}

#[cfg(feature = "postgres")]
async fn roles_called(tx: &mut ReadTx, role: &str) -> PortResult<i64> {
    let Native::Postgres(connection) = native(tx)? else { return Ok(0) };
    let count = sqlx::query_scalar("select count(*) from pg_roles where rolname = $1");
    let count = count.bind(role.to_owned()).fetch_one(connection).await;
    count.map_err(|error| native_error(tx, error, "count roles"))
}

#[cfg(not(feature = "postgres"))]
async fn roles_called(_: &mut ReadTx, _: &str) -> PortResult<i64> {
    std::future::ready(Ok(0)).await
}
