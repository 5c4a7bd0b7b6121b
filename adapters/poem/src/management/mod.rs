//! The management port: probes, build, modules, jobs and schedules, for platforms and operators.

mod routes;
mod settings;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{BoxError, Operations, Role, RoleRunner, RunContext};
use poem::EndpointExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::server::{BoundAddress, HttpServer, HttpSettings, listen};
pub use settings::ManagementSettings;

/// Serves `/livez`, `/readyz`, `/startupz`, `/ops/info`, `/ops/modules`, `/ops/jobs`, `/ops/schedules` and their document on
/// a port of their own, in every role. The public port never serves them.
///
/// # Examples
/// ```
/// use dolmen::{App, AppPorts};
/// use dolmen_poem::{HttpSettings, ManagementRole, ManagementSettings};
///
/// fn app(ports: AppPorts) -> App {
///     let management = ManagementRole::new(ManagementSettings::new(9000)).with_probes_on(HttpSettings::new(8080));
///     App::builder(ports).runner(management).build()
/// }
/// ```
#[derive(Debug)]
pub struct ManagementRole {
    settings: ManagementSettings,
    probes: Option<HttpSettings>,
    bound: watch::Sender<Option<SocketAddr>>,
    address: BoundAddress,
}

impl ManagementRole {
    /// The management port.
    pub fn new(settings: ManagementSettings) -> Self {
        let (bound, address) = BoundAddress::channel();
        Self { settings, probes: None, bound, address }
    }

    /// Answers the three probes on the public port as well when no role of the process serves it: some platforms look at one
    /// port only.
    #[must_use]
    pub fn with_probes_on(mut self, public: HttpSettings) -> Self {
        self.probes = Some(public);
        self
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> BoundAddress {
        self.address.clone()
    }

    async fn listen(&self) -> Result<TcpListener, BoxError> {
        let wanted = self.settings.address();
        match TcpListener::bind(wanted).await {
            Ok(listener) => Ok(listener),
            Err(error) if self.settings.takes_another_port && error.kind() == ErrorKind::AddrInUse => {
                let listener = TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).await?;
                tracing::warn!(taken = %wanted, "the management port is taken, so another one is used");
                Ok(listener)
            }
            Err(_) => Ok(listen(wanted, "MANAGEMENT_PORT").await?),
        }
    }
}

#[async_trait]
impl RoleRunner for ManagementRole {
    fn role(&self) -> Option<Role> {
        None
    }

    fn name(&self) -> &'static str {
        "management"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        let operations = context.operations();
        let listener = self.listen().await?;
        let address = listener.local_addr()?;
        self.bound.send_replace(Some(address));
        tracing::info!(%address, "the management port listens");
        let server = server(&context, routes::all(operations)?)?;
        let probes = match &self.probes {
            Some(public) if !serves_web(operations) => {
                let listener = listen(public.address(), "PORT").await?;
                tracing::info!(address = %listener.local_addr()?, "the probes listen");
                Some((server_of_probes(&context, public)?, listener))
            }
            _ => None,
        };
        context.ready();
        let shutdown = context.shutdown();
        match probes {
            Some((probes, public)) => {
                tokio::join!(server.serve(listener, shutdown), probes.serve(public, shutdown));
            }
            None => server.serve(listener, shutdown).await,
        }
        Ok(())
    }
}

fn serves_web(operations: &Operations) -> bool {
    operations.info().roles.iter().any(|role| role == Role::Web.name())
}

fn server(context: &RunContext, operations: Vec<crate::api_ext::Operation>) -> Result<HttpServer, BoxError> {
    let router = routes::router(operations)?;
    Ok(HttpServer {
        endpoint: router.boxed(),
        limits: HttpSettings::default().limits(),
        ids: Arc::clone(context.ports().ids()),
        // Probes come every few seconds; they would drown what is worth looking at.
        metrics: dolmen::Metrics::none(),
        logged: false,
    })
}

fn server_of_probes(context: &RunContext, public: &HttpSettings) -> Result<HttpServer, BoxError> {
    let server = server(context, routes::probes(context.operations()))?;
    Ok(HttpServer { limits: public.limits(), ..server })
}
