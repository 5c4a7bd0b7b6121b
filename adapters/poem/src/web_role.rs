//! Role `web`: the public port.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{Authenticator, BoxError, ModuleName, ModuleRoutes, Role, RoleRunner, RouteSet, RunContext};
use poem::EndpointExt;
use tokio::sync::watch;

use crate::docs;
use crate::router::mount;
use crate::server::{BoundAddress, HttpServer, HttpSettings, listen};

/// Serves the routes of all modules, their document at `/openapi.json` and a page for people at `/docs`.
///
/// A route needs a principal unless its module offered it with `public_api`. It listens before it says that it is ready; at
/// the drain it takes no new connection and finishes what is in flight.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use dolmen::{App, AppPorts, Authenticator};
/// use dolmen_poem::{HttpSettings, WebRole};
///
/// fn app(ports: AppPorts, authenticator: Arc<dyn Authenticator>) -> App {
///     App::builder(ports).runner(WebRole::new(HttpSettings::new(8080), authenticator)).build()
/// }
/// ```
#[derive(Debug)]
pub struct WebRole {
    settings: HttpSettings,
    authenticator: Option<Arc<dyn Authenticator>>,
    routes: Vec<ModuleRoutes>,
    bound: watch::Sender<Option<SocketAddr>>,
    address: BoundAddress,
}

impl WebRole {
    /// A public port where `authenticator` decides who is who.
    pub fn new(settings: HttpSettings, authenticator: Arc<dyn Authenticator>) -> Self {
        Self::with(settings, Some(authenticator))
    }

    /// A public port without sign-in: it serves modules whose routes are all offered with `public_api`, and does not start
    /// with any other.
    pub fn without_sign_in(settings: HttpSettings) -> Self {
        Self::with(settings, None)
    }

    fn with(settings: HttpSettings, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        let (bound, address) = BoundAddress::channel();
        Self { settings, authenticator, routes: Vec::new(), bound, address }
    }

    /// Serves routes that belong to no module, such as [`object_downloads`](crate::object_downloads).
    #[must_use]
    pub fn with_routes(mut self, routes: RouteSet) -> Self {
        self.routes.push(ModuleRoutes::new(ModuleName::new("web"), routes));
        self
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> BoundAddress {
        self.address.clone()
    }
}

#[async_trait]
impl RoleRunner for WebRole {
    fn role(&self) -> Option<Role> {
        Some(Role::Web)
    }

    fn name(&self) -> &'static str {
        "web"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        let info = context.operations().info();
        let mut sets = context.take_routes();
        sets.extend(self.routes);
        let mounted = mount(&info.name, &info.version, sets)?;
        let extra = docs::operations(&mounted.document)?;
        let router = mounted.router(extra, self.authenticator.as_ref())?;
        let listener = listen(self.settings.address(), "PORT").await?;
        let address = listener.local_addr()?;
        self.bound.send_replace(Some(address));
        tracing::info!(%address, "the API listens");
        context.ready();
        let server = HttpServer {
            endpoint: router.boxed(),
            limits: self.settings.limits(),
            ids: Arc::clone(context.ports().ids()),
            metrics: context.ports().metrics().clone(),
            logged: true,
        };
        server.serve(listener, context.shutdown()).await;
        Ok(())
    }
}
