//! One module, one route, one job, on SQLite.

use dolmen::{App, AppPorts, BoxError, Database, InlineModule, Job, JobContext, JobError, Jobs};
use dolmen_poem::{ApiExt, HttpSettings, NoContent, Problem, WebRole};
use dolmen_sql::{SqlDatabase, SqlOptions};
use poem_openapi::{OpenApi, param::Path};

#[derive(serde::Serialize, serde::Deserialize)]
struct Greet(String);

impl Job for Greet {
    const KIND: &'static str = "greetings.greet";
}

async fn greet(Greet(name): Greet, _: JobContext) -> Result<(), JobError> {
    println!("hello {name}");
    Ok(())
}

struct Api(Database, Jobs);

#[OpenApi]
impl Api {
    /// Greets somebody, a moment later.
    #[oai(path = "/v1/greetings/:name", method = "post")]
    async fn request_greeting(&self, Path(name): Path<String>) -> Result<NoContent, Problem> {
        self.0.system().write(async |tx| self.1.enqueue(tx, &Greet(name.clone())).await).await?;
        Ok(NoContent)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (settings, http) = dolmen::configure(HttpSettings::load)?;
    let ports: AppPorts = SqlDatabase::connect("sqlite:var/app.db", SqlOptions::new()).await?.stores().into();
    let app = App::builder(ports.clone()).settings(settings.clone()).runner(WebRole::without_sign_in(http));
    let greetings = InlineModule::new("greetings", move |registrar| {
        registrar.public_api(Api(ports.database().clone(), ports.jobs()));
        registrar.job(greet);
    });
    Ok(app.module(greetings).build().run(settings.roles).await?)
}
