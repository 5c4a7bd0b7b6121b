//! What a unit of work does when its database fails.

use std::sync::atomic::{AtomicU32, Ordering};

use dolmen_ports::{
    ClientPosition, Database, ErrorKind, JobQueue, NewJob, PortResult, ReadFrom, Scope, ScopedDatabase, Uuid,
};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryJobQueue, MemoryTable};
use dolmen_testkit::faults::{Faults, FaultyDatabase, Step};

const ORDERS: MemoryTable<u32, u32> = MemoryTable::new("shop_order");

struct Setup {
    memory: MemoryDatabase,
    database: Database,
    faults: Faults,
    runs: AtomicU32,
}

impl Setup {
    fn new() -> Self {
        let (memory, faults) = (MemoryDatabase::new(), Faults::new());
        let database = Database::new(FaultyDatabase::new(memory.clone(), faults.clone()));
        Self { memory, database, faults, runs: AtomicU32::new(0) }
    }

    async fn place_order(&self) -> PortResult<u32> {
        let work = self.database.system().write(async |tx| {
            let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
            ORDERS.insert(tx, run, run)?;
            Ok(run)
        });
        work.await
    }

    async fn orders(&self) -> PortResult<usize> {
        self.memory.database().system().read(async |tx| ORDERS.len(tx)).await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn contention_at_commit_runs_the_work_again_and_its_effect_is_there_once() {
    let setup = Setup::new();
    setup.faults.fail_next(Step::Commit, 2, ErrorKind::Contention);
    assert_eq!(setup.place_order().await.unwrap(), 3);
    assert_eq!((setup.runs(), setup.orders().await.unwrap()), (3, 1));
}

#[tokio::test]
async fn contention_at_begin_does_not_reach_the_work() {
    let setup = Setup::new();
    setup.faults.fail_next(Step::Begin, 2, ErrorKind::Contention);
    assert_eq!(setup.place_order().await.unwrap(), 1);
    assert_eq!((setup.runs(), setup.orders().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn contention_without_end_is_reported_and_leaves_nothing() {
    let setup = Setup::new();
    setup.faults.fail_next(Step::Commit, 100, ErrorKind::Contention);
    assert_eq!(setup.place_order().await.unwrap_err().kind(), ErrorKind::Contention);
    assert_eq!((setup.runs(), setup.orders().await.unwrap()), (ScopedDatabase::MAX_RUNS, 0));
    assert_eq!(setup.faults.left(Step::Commit), 100 - ScopedDatabase::MAX_RUNS);
}

#[tokio::test]
async fn a_database_that_is_away_is_reported_at_once() {
    let setup = Setup::new();
    for step in [Step::Begin, Step::Commit] {
        setup.faults.fail_next(step, 1, ErrorKind::Unavailable);
        assert_eq!(setup.place_order().await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!((setup.runs(), setup.orders().await.unwrap()), (1, 0));
    setup.faults.fail_next(Step::Begin, 1, ErrorKind::Unavailable);
    let read = setup.database.system().read(async |tx| ORDERS.len(tx)).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_commit_and_an_error() {
    let setup = Setup::new();
    setup.faults.fail_next(Step::AnswerToCommit, 1, ErrorKind::Unavailable);
    assert_eq!(setup.place_order().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((setup.runs(), setup.orders().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn a_client_whose_commit_was_not_answered_sees_on_replicas_what_became_of_it() {
    let memory = MemoryDatabase::with_replica();
    let faults = Faults::new();
    let database = Database::new(FaultyDatabase::new(memory.clone(), faults.clone()));
    for (number, step, kind, told) in [
        (1, Step::AnswerToCommit, ErrorKind::Unavailable, true),
        (2, Step::AnswerToCommit, ErrorKind::Timeout, true),
        (3, Step::Commit, ErrorKind::Conflict, false),
    ] {
        let client = ClientPosition::default();
        faults.fail_next(step, 1, kind);
        let write = database.system().write(async |tx| ORDERS.insert(tx, number, 0));
        assert_eq!(client.follow(write).await.unwrap_err().kind(), kind);
        assert_eq!(client.written().is_some(), told, "{kind}");
        let on_replica = database.system().read_from(ReadFrom::Replica, async |tx| ORDERS.len(tx));
        let on_primary = database.system().read(async |tx| ORDERS.len(tx)).await.unwrap();
        let seen = client.follow(on_replica).await.unwrap();
        assert_eq!(seen == on_primary, told, "{kind}: {seen} of {on_primary}");
    }
}

#[tokio::test]
async fn a_queue_joins_the_transactions_of_a_wrapped_database() {
    let setup = Setup::new();
    let queue = MemoryJobQueue::new(&setup.memory);
    let job = NewJob::new(dolmen_ports::JobId::new(Uuid::from_u128(1)), "suite.do_work", "{}", Scope::System);
    setup.faults.fail_next(Step::Commit, 1, ErrorKind::Unavailable);
    let enqueue =
        async || setup.database.system().write(async |tx| queue.enqueue(tx, vec![job.clone()]).await).await;
    assert!(enqueue().await.is_err());
    let find = async || setup.database.system().read(async |tx| queue.find(tx, job.id).await).await.unwrap();
    assert!(find().await.is_none());
    enqueue().await.unwrap();
    assert!(find().await.is_some());
}
