//! The crate alone: one module, one event, one job, one worker, on the fakes of the testkit.
//!
//! `cargo run -p dolmen --example one_module`

use std::sync::Arc;

use dolmen::{
    App, AppPorts, Environment, Event, Job, JobContext, JobError, Jobs, LogSettings, MigrationSet, Module,
    ModuleName, PortResult, Registrar, Role, Roles, WriteTx, init_logging,
};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, MemoryTable};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A fact that other modules may react to.
#[derive(Serialize, Deserialize)]
struct GuestArrived {
    name: String,
}

impl Event for GuestArrived {
    const NAME: &'static str = "greetings.guest_arrived.v1";
}

/// Work that is done later.
#[derive(Serialize, Deserialize)]
struct Greet {
    name: String,
}

impl Job for Greet {
    const KIND: &'static str = "greetings.greet";
}

const GUEST_BOOK: MemoryTable<String, String> = MemoryTable::new("greetings_guest_book");

/// The module: its `register` is its table of contents.
struct Greetings {
    jobs: Jobs,
    greeted: Arc<Notify>,
}

impl Module for Greetings {
    fn name(&self) -> ModuleName {
        ModuleName::new("greetings")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.event::<GuestArrived>();
        let jobs = self.jobs.clone();
        registrar.subscribe("welcome", move |event, context| welcome(jobs.clone(), event, context));
        let greeted = Arc::clone(&self.greeted);
        registrar.job(move |job, context| greet(Arc::clone(&greeted), job, context));
    }
}

/// Enqueues the greeting and finishes in one transaction: both happen, or neither.
async fn welcome(jobs: Jobs, event: GuestArrived, context: JobContext) -> Result<(), JobError> {
    let job = Greet { name: event.name };
    context.complete(async |tx| -> PortResult<_> { jobs.enqueue(tx, &job).await }).await?;
    Ok(())
}

/// Adds a line to the guest book, exactly once, however often the job has to be tried.
async fn greet(greeted: Arc<Notify>, job: Greet, context: JobContext) -> Result<(), JobError> {
    let line = format!("hello {}, attempt {}", job.name, context.attempt());
    context.complete(async |tx| GUEST_BOOK.insert(tx, job.name.clone(), line.clone())).await?;
    println!("{line}");
    greeted.notify_one();
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    init_logging(&LogSettings::new(Environment::Development));
    let database = MemoryDatabase::new();
    let queue = Arc::new(MemoryJobQueue::new(&database));
    let ports = AppPorts::new(database.database(), queue, Arc::new(MemoryScheduleStore::new()));
    let (events, greeted) = (ports.events(), Arc::new(Notify::new()));
    let module = Greetings { jobs: ports.jobs(), greeted: Arc::clone(&greeted) };
    let app = App::builder(ports).module(module).build();

    let guest = GuestArrived { name: "Obelix".to_owned() };
    let arrive = async |tx: &mut WriteTx| events.publish(tx, &guest).await;
    database.database().system().write(arrive).await?;

    // A program of its own calls `app.run(roles)`, which ends with SIGTERM; this one ends when the guest was greeted.
    app.run_until(Roles::of(&[Role::Worker]), async move { greeted.notified().await }).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_example_runs_to_its_end() {
        let (ended, end) = channel();
        thread::spawn(move || ended.send(super::main().is_ok()));
        assert!(end.recv_timeout(Duration::from_mins(1)).expect("the guest is greeted in time"));
    }
}
