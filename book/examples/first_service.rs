//! One module, one route, one job, on SQLite.

use std::sync::Arc;

use dolmen::config::Env;
use dolmen::{
    App, AppPorts, AppSettings, BoxError, Database, Job, JobContext, JobError, LogSettings, MigrationSet,
    Module, ModuleName, Registrar, init_logging,
};
use dolmen_poem::{ApiExt, HttpSettings, NoContent, Problem, WebRole};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions, SqlScheduleStore};
use poem_openapi::{OpenApi, param::Path};

#[derive(serde::Serialize, serde::Deserialize)]
struct Greet(String);

impl Job for Greet {
    const KIND: &'static str = "greetings.greet";
}

#[derive(Clone)]
struct Greetings(AppPorts);

#[OpenApi]
impl Greetings {
    /// Greets somebody, a moment later.
    #[oai(path = "/v1/greetings/:name", method = "post")]
    async fn request_greeting(&self, Path(name): Path<String>) -> Result<NoContent, Problem> {
        let job = Greet(name);
        self.0.database().system().write(async |tx| self.0.jobs().enqueue(tx, &job).await).await?;
        Ok(NoContent)
    }
}

impl Module for Greetings {
    fn name(&self) -> ModuleName {
        ModuleName::new("greetings")
    }
    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }
    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.public_api(self.clone());
        registrar.job(async |Greet(name), _: JobContext| -> Result<(), JobError> {
            println!("hello {name}");
            Ok(())
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut env = Env::from_process("APP");
    let (settings, http) = (AppSettings::load(&mut env), HttpSettings::load(&mut env));
    init_logging(&LogSettings::load(&mut env, settings.environment));
    env.finish()?;
    let sql = SqlDatabase::connect("sqlite:var/app.db", SqlOptions::new()).await?;
    let (queue, schedules) = (Arc::new(SqlJobQueue::new(&sql)), Arc::new(SqlScheduleStore::new()));
    let ports = AppPorts::new(Database::new(sql), queue, schedules).with_migrations(dolmen_sql::MIGRATIONS);
    let app = App::builder(ports.clone()).module(Greetings(ports)).runner(WebRole::without_sign_in(http));
    Ok(app.settings(settings.clone()).build().run(settings.roles).await?)
}
