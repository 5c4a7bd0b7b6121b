//! `Idempotency-Key`: the sender's own name for a request.

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::Marker;
use super::single_header;
use crate::problem::Problem;

pub(crate) const MAX_KEY: usize = 255;

/// The `Idempotency-Key` header, required: with the `Inbox` port, a repeated request gets the first answer again.
///
/// Use [`fingerprint`](crate::fingerprint) of the body to notice a key that comes back with other content, and answer
/// [`IdempotencyKey::mismatch`] then.
///
/// # Errors
/// 400 without the header, or when it is not 1 to 255 printable ASCII characters.
///
/// # Examples
/// ```
/// use dolmen_poem::{Created, IdempotencyKey, JsonBody, Problem, fingerprint};
/// use poem_openapi::{Object, OpenApi};
///
/// #[derive(Object)]
/// struct Order { amount: i64 }
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     /// Places an order, once per key.
///     #[oai(path = "/v1/orders", method = "post")]
///     async fn place(&self, key: IdempotencyKey, JsonBody(order): JsonBody<Order>) -> Result<Created<Order>, Problem> {
///         let _same_content = fingerprint(&order);
///         Ok(Created::new(format!("/v1/orders/{key}"), order))
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 422 `idempotency/mismatch`: the key came with another body before.
    pub fn mismatch() -> Problem {
        Problem::new(
            poem::http::StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency/mismatch",
            "this Idempotency-Key came with another body before; use a new key for a new request",
        )
    }

    fn parse(value: Option<&[u8]>) -> Result<Self, Problem> {
        let Some(bytes) = value else {
            return Err(Problem::bad_request(
                "idempotency/missing",
                "Idempotency-Key is missing; send a key of your own, new for each new request",
            ));
        };
        let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        match std::str::from_utf8(bytes) {
            Ok(text) if printable && (1..=MAX_KEY).contains(&text.len()) => Ok(Self(text.to_owned())),
            _ => Err(Problem::bad_request(
                "idempotency/invalid-key",
                "Idempotency-Key must be 1 to 255 printable ASCII characters",
            )),
        }
    }
}

impl std::fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> ApiExtractor<'a> for IdempotencyKey {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(Marker::IdempotencyKey.schema())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let value = single_header(request, "idempotency-key")?;
        Ok(Self::parse(value.map(poem::http::HeaderValue::as_bytes))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printable_and_short() {
        let long = "a".repeat(MAX_KEY + 1);
        for (key, code) in [
            (None, "idempotency/missing"),
            (Some(""), "idempotency/invalid-key"),
            (Some("a\tb"), "idempotency/invalid-key"),
            (Some("ü"), "idempotency/invalid-key"),
            (Some(long.as_str()), "idempotency/invalid-key"),
        ] {
            assert_eq!(IdempotencyKey::parse(key.map(str::as_bytes)).unwrap_err().code(), code, "{key:?}");
        }
        assert_eq!(IdempotencyKey::parse(Some(b"order 1")).unwrap().as_str(), "order 1");
    }
}
