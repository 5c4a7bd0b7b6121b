//! The application under load: a shop that takes orders over HTTP and ships them in jobs, as a process of any roles.

mod burn;
mod http;
mod orders;
mod paced;
mod timed_queue;

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use dolmen::config::SettingValue as _;
use dolmen::{
    App, AppBuilder, AppPorts, AppSettings, BoxError, Environment, InlineModule, JobContext, JobError,
    LogFilter, LogSettings, MigrationSet, QueueName, Role, Roles, WorkerSettings, init_logging, migrations,
};
use dolmen_poem::{ApiExt as _, HttpSettings, WebRole};
use dolmen_sql::{SqlDatabase, SqlOptions};
use tokio::sync::oneshot;

pub(crate) use self::burn::Burn;
use self::http::OrdersHttp;
pub(crate) use self::orders::OrderPlaced;
use self::orders::Orders;
use self::paced::Paced;
use self::timed_queue::TimedQueue;
use crate::jobs::{NAME, Nothing};

pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_bench_load");

/// How a process runs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Serve {
    /// What it does
    #[arg(long)]
    roles: Roles,
    /// Jobs that a worker runs at once
    #[arg(long, default_value_t = 16)]
    concurrency: u32,
    /// Connections to the database
    #[arg(long, default_value_t = 10)]
    connections: u32,
    /// The longest pause between two looks for jobs, in milliseconds
    #[arg(long)]
    poll_ms: Option<u64>,
    /// The queues that a worker takes from; none means all
    #[arg(long, value_delimiter = ',')]
    queues: Vec<String>,
    /// How many jobs that do nothing a worker lets through each second
    #[arg(long)]
    pace: Option<u32>,
    /// Tell on standard output how long each claim took: `claim <microseconds> <jobs>`
    #[arg(long)]
    tell_claims: bool,
    /// What goes into the log, as `RUST_LOG` says it
    #[arg(long)]
    log: Option<String>,
}

/// Runs the application until the standard input ends. Says `ready` on standard output, followed by the address of the API
/// where there is one.
pub(crate) async fn serve(url: &str, serve: Serve) -> Result<(), BoxError> {
    // As in production: a line for each request, in JSON.
    let mut log = LogSettings::new(Environment::Production);
    if let Some(filter) = &serve.log {
        log.filter = LogFilter::parse(filter).map_err(|_| "that is no filter of a log")?;
    }
    init_logging(&log);
    let sql = SqlDatabase::connect(url, SqlOptions::new().with_max_connections(serve.connections)).await?;
    let mut stores = sql.stores();
    if serve.tell_claims {
        stores.jobs = Arc::new(TimedQueue(stores.jobs));
    }
    let queues = serve.queues.iter().map(|name| QueueName::parse(name)).collect::<Result<_, _>>()?;
    let worker = WorkerSettings::new().with_concurrency(serve.concurrency).with_queues(queues);
    let worker = match serve.poll_ms.map(Duration::from_millis) {
        Some(poll) => worker.with_poll(poll, poll),
        None => worker,
    };
    let settings = AppSettings::default().with_worker(worker).with_shutdown_grace(Duration::from_secs(5));
    let mut web = HttpSettings::new(0);
    web.bind = [127, 0, 0, 1].into();
    let web = WebRole::without_sign_in(web);
    let mut address = web.address();
    let app = app(AppPorts::from(stores), serve.pace).settings(settings).runner(web).build();
    let operations = app.operations().clone();
    let is_web = serve.roles.contains(Role::Web);
    let told = async move {
        operations.until_ready().await;
        let address = if is_web { address.bound().await } else { None };
        println!("ready {}", address.map(|address| address.to_string()).unwrap_or_default());
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = app.run_until(serve.roles, standard_input_ends()) => Ok(ended?),
        () = told => Ok(()),
    }
}

/// The shop without a process: it knows which jobs an event becomes.
pub(crate) fn idle(sql: &SqlDatabase) -> AppPorts {
    let ports = AppPorts::from(sql.stores());
    drop(app(ports.clone(), None).build());
    ports
}

fn app(ports: AppPorts, pace: Option<u32>) -> AppBuilder {
    let orders = Arc::new(Orders::new(&ports));
    let paced = pace.map(Paced::new).map(Arc::new);
    let module = InlineModule::new(NAME.as_str(), move |registrar| {
        registrar.event::<OrderPlaced>();
        let shipping = Arc::clone(&orders);
        registrar.subscribe("ship", move |placed: OrderPlaced, context: JobContext| {
            let shipping = Arc::clone(&shipping);
            async move { shipping.ship(&placed, &context).await }
        });
        registrar.job(async |burn: Burn, _: JobContext| {
            burn.run();
            Ok::<_, JobError>(())
        });
        let paced = paced.clone();
        registrar.job(move |_: Nothing, _: JobContext| {
            let paced = paced.clone();
            async move {
                if let Some(paced) = paced {
                    paced.turn().await;
                }
                Ok::<_, JobError>(())
            }
        });
        registrar.public_api(OrdersHttp(Arc::clone(&orders)));
    });
    App::builder(ports).module(module)
}

/// The parent holds the other end: it also ends when the parent is killed.
async fn standard_input_ends() {
    let (end, ended) = oneshot::channel::<()>();
    // A thread of its own: the end of the runtime would wait for one that reads.
    std::thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        drop(end);
    });
    drop(ended.await);
}
