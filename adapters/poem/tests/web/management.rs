//! The management port.

use std::net::SocketAddr;
use std::sync::Arc;

use dolmen::{
    App, HealthReport, MigrationSet, Module, ModuleName, Registrar, Role, Roles, RunError, Shutdown,
};
use dolmen_poem::{HttpSettings, ManagementRole, ManagementSettings, WebRole};
use dolmen_testkit::fakes::{FixedHealth, MemoryAuthenticator};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{PATIENCE, call};
use crate::support::{app_settings, ports};

struct Checked(FixedHealth);

impl Module for Checked {
    fn name(&self) -> ModuleName {
        ModuleName::new("checked")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.health(self.0.clone());
    }
}

/// An application with a management port, running.
struct Managed {
    address: SocketAddr,
    health: FixedHealth,
    _run: JoinSet<Result<(), RunError>>,
}

async fn managed(role: Role, management: ManagementRole) -> Managed {
    let health = FixedHealth::new("printer");
    let mut address = management.address();
    let web = WebRole::new(local(0), Arc::new(MemoryAuthenticator::new()));
    let app = App::builder(ports())
        .settings(app_settings())
        .module(Checked(health.clone()))
        .runner(management)
        .runner(web)
        .build();
    let operations = app.operations().clone();
    let mut run = JoinSet::new();
    run.spawn(app.run_until(Roles::of(&[role]), Shutdown::new().drain_token().cancelled_owned()));
    let address = timeout(PATIENCE, address.bound()).await.unwrap().unwrap();
    timeout(PATIENCE, operations.until_ready()).await.unwrap();
    Managed { address, health, _run: run }
}

fn local(port: u16) -> HttpSettings {
    let mut settings = HttpSettings::new(port);
    settings.bind = [127, 0, 0, 1].into();
    settings
}

#[tokio::test]
async fn probes_tell_200_or_503_with_what_was_found() {
    let managed = managed(Role::Web, ManagementRole::new(ManagementSettings::new(0))).await;
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(call(managed.address, "GET", path).send().await.status, 200, "{path}");
    }
    managed.health.set(HealthReport::down("out of paper"));
    let answer = call(managed.address, "GET", "/readyz").send().await;
    assert_eq!((answer.status, &answer.json()["ready"]), (503, &json!(false)));
    assert!(answer.json().to_string().contains("out of paper"));
    assert_eq!(call(managed.address, "GET", "/livez").send().await.status, 200);
}

#[tokio::test]
async fn operations_are_served_as_their_document_says() {
    let managed = managed(Role::Web, ManagementRole::new(ManagementSettings::new(0))).await;
    let document = call(managed.address, "GET", "/openapi.json").send().await.json();
    assert_eq!(document["info"]["version"], "1.2.3");
    for path in document["paths"].as_object().unwrap().keys() {
        let answer = call(managed.address, "GET", path).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
    }
    let info = call(managed.address, "GET", "/ops/info").send().await.json();
    assert_eq!((&info["name"], &info["roles"]), (&json!("notes-app"), &json!(["web"])));
    assert_eq!(call(managed.address, "GET", "/ops/jobs").send().await.json()["depth"], 0);
    assert_eq!(call(managed.address, "GET", "/nothing").send().await.problem().0, 404);
    assert_eq!(call(managed.address, "POST", "/livez").send().await.header("allow"), "GET, HEAD");
}

#[tokio::test]
async fn the_public_port_has_no_operations() {
    let server = crate::support::TestServer::start().await;
    for path in ["/livez", "/readyz", "/startupz", "/ops/info", "/ops/modules", "/ops/jobs", "/ops/schedules"]
    {
        assert_eq!(server.ask("GET", path).send().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_taken_port_is_changed_only_where_that_is_allowed() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = ManagementSettings::new(taken.local_addr().unwrap().port());
    settings.takes_another_port = true;
    let elsewhere = managed(Role::Web, ManagementRole::new(settings.clone())).await;
    assert_ne!(elsewhere.address, taken.local_addr().unwrap());
    assert_eq!(call(elsewhere.address, "GET", "/livez").send().await.status, 200);

    settings.takes_another_port = false;
    let app = App::builder(ports()).settings(app_settings()).runner(ManagementRole::new(settings)).build();
    let error =
        timeout(PATIENCE, app.run_until(Roles::all(), std::future::pending())).await.unwrap().unwrap_err();
    let text = dolmen::error_chain(&error);
    assert!(text.contains("set MANAGEMENT_PORT to a free port"), "{text}");
}

#[tokio::test]
async fn a_process_without_web_answers_probes_on_the_public_port() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = free.local_addr().unwrap();
    drop(free);
    let management = ManagementRole::new(ManagementSettings::new(0)).with_probes_on(local(public.port()));
    let worker = managed(Role::Worker, management).await;
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(call(public, "GET", path).send().await.status, 200, "{path}");
    }
    assert_eq!(call(public, "GET", "/ops/info").send().await.status, 404);
    assert_eq!(call(worker.address, "GET", "/ops/info").send().await.status, 200);
}
