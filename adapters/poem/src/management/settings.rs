//! Where the management port listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dolmen::config::{Env, Environment, Variable};

use crate::server::BindAddress;

const PORT: Variable = Variable::conventional("MANAGEMENT_PORT", "the port of probes and operations", "9000");
const BIND: Variable =
    Variable::own("MANAGEMENT_BIND", "the address that probes and operations listen on", "127.0.0.1");

/// Where the management port listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagementSettings {
    /// The address; this machine alone by default.
    pub bind: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Whether to take a free port when this one is taken, for developers who run two programs.
    pub takes_another_port: bool,
}

impl ManagementSettings {
    /// The defaults on a port: for this machine alone, and no other port.
    pub const fn new(port: u16) -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port, takes_another_port: false }
    }

    /// Reads `MANAGEMENT_PORT`, `APP_MANAGEMENT_BIND` and `APP_ENV`.
    ///
    /// In production it listens on all addresses, because probes come from outside the container; elsewhere only this machine
    /// sees it, and a taken port is no reason not to start.
    ///
    /// # Examples
    /// ```
    /// use dolmen::config::Env;
    /// use dolmen_poem::ManagementSettings;
    ///
    /// let mut env = Env::from_pairs("APP", [("APP_ENV", "production")]);
    /// let settings = ManagementSettings::load(&mut env);
    /// assert_eq!((settings.bind.is_unspecified(), settings.port, settings.takes_another_port), (true, 9000, false));
    /// ```
    pub fn load(env: &mut Env) -> Self {
        let production = Environment::load(env).is_production();
        let bind = if production { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        Self {
            bind: env.or(&BIND, BindAddress(bind.into())).0,
            port: env.or(&PORT, 9000),
            takes_another_port: !production,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }
}
