//! `JsonBody`: a request body.

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::reading::read;
use super::schema::Schema;
use crate::problem::{Fault, Problem, body_problem, plain, unsupported_media_type};

/// A JSON request body, documented like poem-openapi's `Json`, and stricter.
///
/// The body is held against its documented schema before it is parsed, so that a client is told everything that is wrong at
/// once, with pointers. Fields that the schema does not know are refused: a body cannot set what the server owns.
///
/// # Errors
/// - 415 `request/unsupported-media-type`: not `application/json` in UTF-8.
/// - 413 `request/too-large`, 408 `request/body-timeout`.
/// - 400 `request/invalid-json`, `request/invalid-encoding`, `request/duplicate-key`: no JSON value to talk about.
/// - 422 `request/validation`, `request/unknown-field`, `request/nul-character`: JSON that breaks the schema.
///
/// # Examples
/// ```
/// use dolmen_poem::{JsonBody, NoContent, Problem};
/// use poem_openapi::{Object, OpenApi};
///
/// #[derive(Object)]
/// struct NewCustomer {
///     #[oai(validator(min_length = 1, max_length = 200))]
///     name: String,
/// }
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     /// Adds a customer.
///     #[oai(path = "/v1/customers", method = "post")]
///     async fn create(&self, JsonBody(customer): JsonBody<NewCustomer>) -> Result<NoContent, Problem> {
///         println!("{}", customer.name);
///         Ok(NoContent)
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a newtype over the content, to be taken apart")]
pub struct JsonBody<T>(pub T);

impl<T: ParseFromJSON + 'static> JsonBody<T> {
    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let value = read(bytes)?;
        Schema::of::<T>().check(&value)?;
        // What is left are rules that a schema cannot say: patterns and validators of the application.
        T::parse_from_json(Some(value)).map(Self).map_err(|error| Problem::invalid([fault(error.message())]))
    }
}

/// Finds the field in poem-openapi's words for a validator that failed.
fn fault(words: &str) -> Fault {
    let words = plain(words);
    let parts = words.strip_prefix("field `").and_then(|rest| rest.split_once("` verification failed. "));
    match parts {
        Some((field, rule)) => Fault::new(format!("/{field}"), format!("must keep the rule {rule}")),
        None => Fault::new("", format!("is not valid: {words}")),
    }
}

impl<'a, T: ParseFromJSON + 'static> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !is_json(request.content_type()) {
            return Err(unsupported_media_type("Content-Type must be application/json, in UTF-8").into());
        }
        if request.headers().get("content-encoding").is_some_and(|encoding| encoding != "identity") {
            return Err(
                unsupported_media_type("Content-Encoding is not supported; send the body as it is").into()
            );
        }
        let bytes = match body.take()?.into_bytes().await {
            Ok(bytes) => bytes,
            Err(error) => {
                return Err(body_problem(&error).unwrap_or_else(|| Problem::internal(error)).into());
            }
        };
        Ok(Self::parse(&bytes)?)
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return false };
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use poem_openapi::Object;

    use super::*;

    #[derive(Debug, PartialEq, Object)]
    struct Month {
        #[oai(validator(pattern = "^[0-9]{4}-[0-9]{2}$"))]
        month: String,
    }

    #[test]
    fn rules_beyond_the_schema_point_to_their_field() {
        let problem = JsonBody::<Month>::parse(br#"{"month": "October"}"#).unwrap_err();
        assert_eq!(problem.status(), 422);
        assert_eq!(problem.faults()[0].pointer, "/month");
        assert!(problem.detail().contains("[0-9]{4}"), "{problem}");
        assert_eq!(JsonBody::<Month>::parse(br#"{"month": "2026-10"}"#).unwrap().0.month, "2026-10");
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        for (text, json) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/merge-patch+json", true),
            ("application/json; charset=latin1", false),
            ("text/json", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(is_json(Some(text)), json, "{text}");
        }
        assert!(!is_json(None));
    }
}
