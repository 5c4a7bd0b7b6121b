//! `Dolmen-Position`: a client reads what it wrote, from a replica that stands still.

use std::sync::Arc;

use dolmen::{App, AppPorts, Database, InlineModule, PortResult, ReadFrom, Role, Roles, RunError, Shutdown};
use dolmen_poem::{ApiExt, HttpSettings, NoContent, Problem, WebRole};
use dolmen_testkit::fakes::{MemoryDatabase, MemoryJobQueue, MemoryScheduleStore, MemoryTable};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Call, PATIENCE, call};
use crate::support::app_settings;

const MARKS: MemoryTable<usize, ()> = MemoryTable::new("marks_mark");

struct MarksApi(Database);

#[OpenApi]
impl MarksApi {
    /// Makes a mark.
    #[oai(path = "/v1/marks", method = "post")]
    async fn add(&self) -> Result<NoContent, Problem> {
        let add = async |tx: &mut dolmen::WriteTx| {
            let next = MARKS.len(tx)?;
            MARKS.insert(tx, next, ())
        };
        self.0.system().write(add).await?;
        Ok(NoContent)
    }

    /// Makes a mark and fails.
    #[oai(path = "/v1/marks/failing", method = "post")]
    async fn add_and_fail(&self) -> Result<NoContent, Problem> {
        self.add().await?;
        Err(Problem::not_found())
    }

    /// Counts the marks.
    #[oai(path = "/v1/marks", method = "get")]
    async fn count(&self) -> Result<Json<usize>, Problem> {
        let count: PortResult<usize> =
            self.0.system().read_from(ReadFrom::Replica, async |tx| MARKS.len(tx)).await;
        Ok(Json(count?))
    }
}

/// An application whose database has a replica that stands still.
struct Marks {
    address: std::net::SocketAddr,
    _run: JoinSet<Result<(), RunError>>,
}

impl Marks {
    async fn start() -> Self {
        let memory = MemoryDatabase::with_replica();
        let ports = AppPorts::new(
            memory.database(),
            Arc::new(MemoryJobQueue::new(&memory)),
            Arc::new(MemoryScheduleStore::new()),
        );
        let mut settings = HttpSettings::new(0);
        settings.bind = [127, 0, 0, 1].into();
        let web = WebRole::without_sign_in(settings);
        let mut address = web.address();
        let database = memory.database();
        let module =
            InlineModule::new("marks", move |registrar| registrar.public_api(MarksApi(database.clone())));
        let app = App::builder(ports).settings(app_settings()).module(module).runner(web).build();
        let mut run = JoinSet::new();
        run.spawn(app.run_until(Roles::of(&[Role::Web]), Shutdown::new().drain_token().cancelled_owned()));
        let address = timeout(PATIENCE, address.bound()).await.expect("it listens").expect("it listens");
        Self { address, _run: run }
    }

    fn ask(&self, method: &str, path: &str, position: Option<&str>) -> Call {
        let call = call(self.address, method, path);
        match position {
            Some(position) => call.header("dolmen-position", position),
            None => call,
        }
    }
}

#[tokio::test]
async fn a_client_that_sends_its_position_reads_what_it_wrote() {
    let marks = Marks::start().await;
    let written = marks.ask("POST", "/v1/marks", None).send().await;
    let position = written.header("dolmen-position").to_owned();
    assert!(position.starts_with("l-"), "{position}");
    // Two other clients: one that was told, and one that was not.
    for (sent, seen) in [(Some(position.as_str()), 1), (None, 0)] {
        let read = marks.ask("GET", "/v1/marks", sent).send().await;
        assert_eq!(read.json(), seen, "{sent:?}");
        // There is nothing new to tell.
        assert_eq!(read.header("dolmen-position"), "");
    }
    let failed = marks.ask("POST", "/v1/marks/failing", Some(&position)).send().await;
    assert_eq!(failed.problem().0, 404);
    let later = failed.header("dolmen-position").to_owned();
    assert_ne!(later, position);
    assert_eq!(marks.ask("GET", "/v1/marks", Some(&later)).send().await.json(), 2);
}

#[tokio::test]
async fn what_no_answer_gave_is_refused() {
    let marks = Marks::start().await;
    for sent in ["", "0/16B3748", "l-0-1", "l-0-1-2, l-0-1-3", "p-7fffffffffffffffff"] {
        let answer = marks.ask("GET", "/v1/marks", Some(sent)).send().await;
        assert_eq!(answer.problem(), (400, "request/invalid-position".to_owned()), "{sent:?}");
    }
}
