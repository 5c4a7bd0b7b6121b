//! Accounts over HTTP: parse, call, map.

use std::sync::Arc;

use dolmen::{Secret, TenantId, UserId};
use dolmen_poem::{Authenticated, Created, Id, JsonBody, NoContent, Problem, Rfc3339};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use crate::application::{SignInError, UseCases};

/// The route that needs no principal.
#[derive(Debug)]
pub(crate) struct SignInHttp(pub(crate) Arc<UseCases>);

/// The routes of somebody who is signed in.
#[derive(Debug)]
pub(crate) struct SessionHttp(pub(crate) Arc<UseCases>);

/// Who wants to sign in.
#[derive(Clone, Object)]
#[oai(rename = "SignIn", deny_unknown_fields)]
struct SignInDto {
    email: String,
    password: String,
}

/// A session.
#[derive(Clone, Object)]
#[oai(rename = "Session")]
struct SessionDto {
    /// Goes into `Authorization: Bearer TOKEN`.
    token: String,
    expires_at: Rfc3339,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Me")]
struct MeDto {
    user_id: Id<UserId>,
    email: String,
    tenant_id: Id<TenantId>,
    tenant_name: String,
    role: String,
}

#[OpenApi]
impl SignInHttp {
    /// Signs in.
    #[oai(path = "/v1/session", method = "post", operation_id = "sign_in")]
    async fn sign_in(&self, JsonBody(body): JsonBody<SignInDto>) -> Result<Created<SessionDto>, Problem> {
        let opened =
            self.0.sign_in(&body.email, Secret::new(body.password)).await.map_err(|error| match error {
                SignInError::Refused => Problem::unauthenticated(),
                SignInError::Port(error) => error.into(),
            })?;
        let session =
            SessionDto { token: opened.token.reveal().clone(), expires_at: Rfc3339(opened.expires_at) };
        Ok(Created::new("/v1/session", session))
    }
}

#[OpenApi]
impl SessionHttp {
    /// Signs out: the token is void at once.
    #[oai(path = "/v1/session", method = "delete", operation_id = "sign_out")]
    async fn sign_out(&self, caller: Authenticated) -> Result<NoContent, Problem> {
        self.0.sign_out(caller.principal(), caller.credentials()).await?;
        Ok(NoContent)
    }

    /// Tells who is signed in.
    #[oai(path = "/v1/me", method = "get", operation_id = "who_am_i")]
    async fn who_am_i(&self, caller: Authenticated) -> Result<Json<MeDto>, Problem> {
        let me = self.0.who_am_i(caller.principal()).await?;
        Ok(Json(MeDto {
            user_id: Id(caller.user),
            email: me.email,
            tenant_id: Id(caller.tenant),
            tenant_name: me.tenant_name,
            role: caller.role.clone(),
        }))
    }
}
