//! HTTP alone: one API with its document, on the fakes of the testkit, until Ctrl-C.
//!
//! `cargo run -p dolmen-poem --example hello`, then `curl http://localhost:8080/v1/hello/Ada`

use dolmen::{App, BoxError, Environment, InlineModule, LogSettings, Role, Roles, init_logging};
use dolmen_poem::{ApiExt, HttpSettings, Problem, WebRole};
use dolmen_testkit::FakePorts;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

/// What is said.
#[derive(Object)]
struct Greeting {
    text: String,
}

struct HelloApi;

#[expect(clippy::unused_async, reason = "the macro takes nothing else")]
#[OpenApi]
impl HelloApi {
    /// Says hello. Who has no name gets a problem: a status, a stable code, and what to do.
    #[oai(path = "/v1/hello/:name", method = "get")]
    async fn hello(&self, Path(name): Path<String>) -> Result<Json<Greeting>, Problem> {
        if name.trim().is_empty() {
            return Err(Problem::not_found());
        }
        Ok(Json(Greeting { text: format!("hello {name}") }))
    }
}

/// The application. The web role serves its routes, `/openapi.json` and `/docs`.
fn app(web: WebRole) -> App {
    let hello = InlineModule::new("hello", |registrar| registrar.public_api(HelloApi));
    App::builder(FakePorts::new().app().clone()).module(hello).runner(web).build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    init_logging(&LogSettings::new(Environment::Development));
    let web = WebRole::without_sign_in(HttpSettings::new(8080));
    Ok(app(web).run(Roles::of(&[Role::Web])).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    async fn get(mut stream: TcpStream, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_example_says_hello_and_refuses_the_nameless() {
        let mut settings = HttpSettings::new(0);
        settings.bind = [127, 0, 0, 1].into();
        let web = WebRole::without_sign_in(settings);
        let (mut address, (end, ended)) = (web.address(), oneshot::channel::<()>());
        let run = app(web).run_until(Roles::of(&[Role::Web]), async move { drop(ended.await) });
        let calls = async move {
            let address = address.bound().await.unwrap();
            let hello = get(TcpStream::connect(address).await.unwrap(), "/v1/hello/Ada").await;
            assert!(hello.contains(r#"{"text":"hello Ada"}"#), "{hello}");
            let problem = get(TcpStream::connect(address).await.unwrap(), "/v1/hello/%20").await;
            assert!(
                problem.starts_with("HTTP/1.1 404") && problem.contains("application/problem+json"),
                "{problem}"
            );
            drop(end);
        };
        let both = Box::pin(async { tokio::join!(run, calls).0 });
        timeout(Duration::from_mins(1), both).await.expect("answers in time").unwrap();
    }
}
