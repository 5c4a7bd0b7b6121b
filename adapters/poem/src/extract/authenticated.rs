//! The caller of a request.

use std::ops::Deref;

use dolmen::{Actor, Credentials, Principal};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Problem;

/// The name of the security scheme in documents.
pub(crate) const BEARER: &str = "bearer";

/// Who calls, for routes that need a principal. The web role has checked the credentials before the handler runs.
///
/// # Examples
/// ```
/// use dolmen_poem::{Authenticated, Problem};
/// use poem_openapi::{OpenApi, payload::PlainText};
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     /// Who am I?
///     #[oai(path = "/v1/whoami", method = "get")]
///     async fn whoami(&self, caller: Authenticated) -> Result<PlainText<String>, Problem> {
///         Ok(PlainText(format!("user {} of tenant {}", caller.user, caller.tenant)))
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Authenticated {
    principal: Principal,
    credentials: Credentials,
}

impl Authenticated {
    pub(crate) fn new(principal: Principal, credentials: Credentials) -> Self {
        Self { principal, credentials }
    }

    /// User, tenant and role.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The caller as the actor of an audit entry.
    pub fn actor(&self) -> Actor {
        Actor::User(self.principal.user)
    }

    /// What the caller presented, for a sign-out.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

impl Deref for Authenticated {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<'a> ApiExtractor<'a> for Authenticated {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: None,
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(BEARER, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        request.data::<Self>().cloned().ok_or_else(|| Problem::unauthenticated().into())
    }
}
