//! Where the public port listens, and its limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use dolmen::config::{Env, Refusal, SettingValue, Variable};

const PORT: Variable = Variable::conventional("PORT", "the port of the API", "8080");
const BIND: Variable = Variable::own("HTTP_BIND", "the address that the API listens on", "0.0.0.0");
const MAX_CONNECTIONS: Variable =
    Variable::own("HTTP_MAX_CONNECTIONS", "how many clients may be connected at once", "1000");
const MAX_BODY_BYTES: Variable =
    Variable::own("HTTP_MAX_BODY_BYTES", "how large the body of a request may be", "1048576");
const HEADER_DEADLINE: Variable =
    Variable::own("HTTP_HEADER_DEADLINE", "how long the headers of a request may take to arrive", "10s");
const BODY_DEADLINE: Variable =
    Variable::own("HTTP_BODY_DEADLINE", "how long the body of a request may take to arrive", "30s");
const REQUEST_DEADLINE: Variable =
    Variable::own("HTTP_REQUEST_DEADLINE", "how long answering a request may take", "30s");

/// How the public port is served. The defaults suit a service behind a load balancer, and one without.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The address; all of this machine's by default.
    pub bind: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// How many clients may be connected at once; more wait until one leaves.
    pub max_connections: usize,
    /// How large a body may be, however it is sent.
    pub max_body_bytes: u64,
    /// How long the headers of a request may take, which is also how long a connection may be idle.
    pub header_deadline: Duration,
    /// How long the body of a request may take.
    pub body_deadline: Duration,
    /// How long a handler may take; it is dropped then.
    pub request_deadline: Duration,
}

impl HttpSettings {
    /// The defaults on a port.
    pub const fn new(port: u16) -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port,
            max_connections: 1_000,
            max_body_bytes: 1_048_576,
            header_deadline: Duration::from_secs(10),
            body_deadline: Duration::from_secs(30),
            request_deadline: Duration::from_secs(30),
        }
    }

    /// Reads `PORT`, `APP_HTTP_BIND`, `APP_HTTP_MAX_CONNECTIONS`, `APP_HTTP_MAX_BODY_BYTES` and the deadlines
    /// `APP_HTTP_HEADER_DEADLINE`, `APP_HTTP_BODY_DEADLINE` and `APP_HTTP_REQUEST_DEADLINE`.
    ///
    /// # Examples
    /// ```
    /// use dolmen::config::Env;
    /// use dolmen_poem::HttpSettings;
    ///
    /// let mut env = Env::from_pairs("APP", [("PORT", "8081"), ("APP_HTTP_MAX_BODY_BYTES", "4096")]);
    /// let settings = HttpSettings::load(&mut env);
    /// env.finish().unwrap();
    /// assert_eq!((settings.port, settings.max_body_bytes), (8081, 4096));
    /// ```
    pub fn load(env: &mut Env) -> Self {
        let defaults = Self::new(8080);
        let deadlines = Duration::from_millis(100)..=Duration::from_hours(1);
        Self {
            bind: env.or(&BIND, BindAddress(defaults.bind)).0,
            port: env.or(&PORT, defaults.port),
            max_connections: env.or_in(&MAX_CONNECTIONS, defaults.max_connections, 1..=1_000_000),
            max_body_bytes: env.or_in(&MAX_BODY_BYTES, defaults.max_body_bytes, 1..=u64::from(u32::MAX)),
            header_deadline: env.or_in(&HEADER_DEADLINE, defaults.header_deadline, deadlines.clone()),
            body_deadline: env.or_in(&BODY_DEADLINE, defaults.body_deadline, deadlines.clone()),
            request_deadline: env.or_in(&REQUEST_DEADLINE, defaults.request_deadline, deadlines),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_connections: self.max_connections,
            max_body_bytes: self.max_body_bytes,
            header_deadline: self.header_deadline,
            body_deadline: self.body_deadline,
            request_deadline: self.request_deadline,
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self::new(8080)
    }
}

/// What a server allows its clients.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) max_body_bytes: u64,
    pub(crate) header_deadline: Duration,
    pub(crate) body_deadline: Duration,
    pub(crate) request_deadline: Duration,
}

/// An IP address in a variable.
pub(crate) struct BindAddress(pub(crate) IpAddr);

impl SettingValue for BindAddress {
    fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse().map(Self).map_err(|_| {
            Refusal::new("is not an IP address")
                .with_fix("use 127.0.0.1 for this machine alone, 0.0.0.0 for all")
        })
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}
