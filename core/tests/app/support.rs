//! Modules and ports for the tests of the application.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::ports::{DatabaseDriver, MigrationReport, TxDriver, TxOptions};
use dolmen::{AppPorts, Database, MigrationSet, Module, ModuleName, PortResult, Registrar};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, SequentialIds};

/// A module made of values.
pub(crate) struct TestModule {
    name: &'static str,
    requires: &'static [ModuleName],
    migrations: MigrationSet,
    register: fn(&mut Registrar<'_>),
}

impl TestModule {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, requires: &[], migrations: MigrationSet::none(ModuleName::new(name)), register: |_| {} }
    }

    pub(crate) const fn requires(mut self, requires: &'static [ModuleName]) -> Self {
        self.requires = requires;
        self
    }

    pub(crate) const fn migrations(mut self, migrations: MigrationSet) -> Self {
        self.migrations = migrations;
        self
    }

    pub(crate) const fn registers(mut self, register: fn(&mut Registrar<'_>)) -> Self {
        self.register = register;
        self
    }
}

impl Module for TestModule {
    fn name(&self) -> ModuleName {
        ModuleName::new(self.name)
    }

    fn requires(&self) -> &'static [ModuleName] {
        self.requires
    }

    fn migrations(&self) -> MigrationSet {
        self.migrations
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        (self.register)(registrar);
    }
}

/// Ports in memory.
pub(crate) fn ports(database: &MemoryDatabase) -> AppPorts {
    AppPorts::with_time(
        database.database(),
        Arc::new(MemoryJobQueue::new(database)),
        Arc::new(MemoryScheduleStore::new()),
        Arc::new(database.clock().clone()),
        Arc::new(SequentialIds::new()),
    )
}

/// A database that calls itself something else.
#[derive(Debug)]
struct Renamed(MemoryDatabase);

#[async_trait]
impl DatabaseDriver for Renamed {
    fn backend(&self) -> &'static str {
        "elsewhere"
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.0.begin_read(options).await
    }

    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.0.begin_write(options).await
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        self.0.migrate(sets).await
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        self.0.pending_migrations(sets).await
    }

    async fn ping(&self) -> PortResult<()> {
        self.0.ping().await
    }

    async fn pause_before_rerun(&self, run: u32) {
        self.0.pause_before_rerun(run).await;
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

/// Ports whose queue belongs to another database.
pub(crate) fn mismatched_ports() -> AppPorts {
    let database = MemoryDatabase::new();
    let queue = MemoryJobQueue::new(&database);
    AppPorts::new(Database::new(Renamed(database)), Arc::new(queue), Arc::new(MemoryScheduleStore::new()))
}
