//! The authenticator of core, on sessions in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{SessionAuthenticator, Sessions};
use dolmen_ports::{Authenticator, BoxError, Credentials, Principal, Secret, SessionStore};
use dolmen_testkit::FakePorts;
use dolmen_testkit::conformance::Harness;
use dolmen_testkit::conformance::authenticator::AuthenticatorHarness;

const VALID_FOR: Duration = Duration::from_hours(1);

/// What every instance of an application checks tokens with.
pub(crate) struct SessionsHarness {
    fakes: FakePorts,
    sessions: Sessions,
    authenticator: Arc<SessionAuthenticator>,
}

impl SessionsHarness {
    pub(crate) fn new() -> Self {
        let fakes = FakePorts::new();
        let (store, clock): (Arc<dyn SessionStore>, _) = (Arc::new(fakes.sessions()), fakes.app().clock());
        let sessions = Sessions::new(Arc::clone(&store), Arc::clone(clock));
        let authenticator = SessionAuthenticator::new(fakes.database(), store, Arc::clone(clock));
        Self { sessions, authenticator: Arc::new(authenticator), fakes }
    }
}

impl Harness for SessionsHarness {}

#[async_trait]
impl AuthenticatorHarness for SessionsHarness {
    fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::clone(&self.authenticator) as Arc<dyn Authenticator>
    }

    async fn grant(&self, principal: &Principal) -> Result<String, BoxError> {
        let database = self.fakes.database();
        let open = database.system().write(async |tx| self.sessions.open(tx, principal, VALID_FOR).await);
        Ok(open.await?.token.reveal().clone())
    }

    async fn revoke(&self, token: &str) -> Result<(), BoxError> {
        let (database, credentials) =
            (self.fakes.database(), Credentials::Bearer(Secret::new(token.to_owned())));
        let closed = database.system().write(async |tx| self.sessions.close(tx, &credentials).await).await?;
        if closed { Ok(()) } else { Err("there is no such session".into()) }
    }

    async fn expire(&self, _: &str) -> Result<(), BoxError> {
        self.fakes.clock().advance(VALID_FOR);
        Ok(())
    }

    async fn cut_off(&self) {
        self.fakes.database().close().await;
    }
}
