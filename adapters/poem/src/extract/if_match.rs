//! Versions: `ETag` on answers, `If-Match` on changes.

use std::borrow::Cow;
use std::fmt;

use poem::http::{HeaderValue, StatusCode};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ToHeader, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::Marker;
use super::single_header;
use crate::problem::Problem;

/// The version of a resource, as an `ETag` header: version 7 is `"7"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a newtype over the version")]
pub struct ETag(pub i64);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl Type for ETag {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "etag".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToHeader for ETag {
    fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.to_string()).ok()
    }
}

/// The version that the caller read before it changes it; the header is required.
///
/// Compare it in the statement that writes (`… where id = ? and version = ?`), and answer
/// [`Problem::stale_version`] when no row was there.
///
/// # Errors
/// 428 without the header, 400 when it is not one strong ETag, 412 for an ETag that this program never gave.
///
/// # Examples
/// ```
/// use dolmen_poem::{ETag, Id, IfMatch, Problem, Versioned};
/// use poem_openapi::{Object, OpenApi, param::Path};
///
/// dolmen::define_id! {
///     /// Identifies a note.
///     pub struct NoteId;
/// }
///
/// #[derive(Object)]
/// struct Note { id: Id<NoteId> }
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     /// Marks a note as read.
///     #[oai(path = "/v1/notes/:id", method = "put")]
///     async fn mark(&self, Path(id): Path<Id<NoteId>>, if_match: IfMatch) -> Result<Versioned<Note>, Problem> {
///         if if_match.version() != 7 {
///             return Err(Problem::stale_version());
///         }
///         Ok(Versioned::new(Note { id }, 8))
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(i64);

impl IfMatch {
    /// The version that the caller read.
    pub fn version(self) -> i64 {
        self.0
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let Some(tag) = inner.filter(|tag| !tag.contains(['"', ' ', ','])) else {
            return Err(Problem::bad_request(
                "request/invalid-etag",
                "If-Match must be one ETag as you got it, with its quotes, such as \"7\"",
            ));
        };
        match tag.parse() {
            Ok(version) if ETag(version).to_string() == text => Ok(Self(version)),
            _ => Err(Problem::stale_version()),
        }
    }
}

impl<'a> ApiExtractor<'a> for IfMatch {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(Marker::IfMatch.schema())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Some(value) = single_header(request, "if-match")? else {
            let problem = Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "request/precondition-required",
                "If-Match is missing; send the ETag that you read",
            );
            return Err(problem.into());
        };
        Ok(Self::parse(value.to_str().unwrap_or_default())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_makes_the_round_trip() {
        assert_eq!(IfMatch::parse(&ETag(7).to_string()).unwrap().version(), 7);
    }

    #[test]
    fn nonsense_is_malformed_and_foreign_tags_are_stale() {
        for (text, status) in [
            ("7", 400),
            ("", 400),
            ("*", 400),
            ("W/\"7\"", 400),
            ("\"7\", \"8\"", 400),
            ("\"07\"", 412),
            ("\"abc\"", 412),
            ("\"99999999999999999999\"", 412),
        ] {
            assert_eq!(IfMatch::parse(text).unwrap_err().status(), status, "{text}");
        }
    }
}
