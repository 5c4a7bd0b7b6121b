//! Errors of poem, poem-openapi and their sources as problems.

use std::error::Error as StdError;

use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem::http::StatusCode;
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};

use super::{Fault, Problem};
use crate::server::BodyError;

/// The problem inside of an error, or the one that tells it.
///
/// Anything unknown is ours: a 500 whose words go to the log, because texts of foreign errors may hold SQL or paths.
pub(crate) fn problem_of(error: poem::Error) -> Problem {
    if let Some(problem) = known(&error) {
        return problem;
    }
    match error.downcast::<Problem>() {
        Ok(problem) => problem,
        Err(error) => by_status(error),
    }
}

fn known(error: &poem::Error) -> Option<Problem> {
    if error.is::<NotFoundError>() {
        Some(Problem::not_found())
    } else if error.is::<MethodNotAllowedError>() {
        Some(method_not_allowed())
    } else if error.is::<AuthorizationError>() {
        Some(Problem::unauthenticated())
    } else if let Some(error) = error.downcast_ref::<ParsePathError>() {
        Some(path_problem(&error.reason))
    } else if let Some(error) = error.downcast_ref::<ParseParamError>() {
        Some(Problem::invalid([Fault::new(format!("/{}", error.name), plain(&error.reason).to_owned())]))
    } else if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
        Some(Problem::invalid([Fault::new("", plain(&error.reason).to_owned())]))
    } else if error.is::<ContentTypeError>() {
        Some(unsupported_media_type("the Content-Type of the request is not supported"))
    } else {
        error.downcast_ref::<ReadBodyError>().and_then(|error| body_problem(error))
    }
}

fn path_problem(reason: &str) -> Problem {
    // The router leaves out parameters that it cannot decode.
    if reason.ends_with("expects an input value.") {
        return Problem::bad_request("request/invalid-encoding", "the path is not valid UTF-8");
    }
    Problem::bad_request("request/invalid-id", format!("in the path: {}", plain(reason)))
}

/// 405; the routes add which methods there are.
pub(crate) fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request/method-not-allowed", "this path has other methods")
}

/// 415, naming what is supported.
pub(crate) fn unsupported_media_type(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request/unsupported-media-type", detail)
}

/// The problem of a body that could not be read, when its causes name one.
pub(crate) fn body_problem(error: &(dyn StdError + 'static)) -> Option<Problem> {
    if let Some(ReadBodyError::Utf8(_)) = error.downcast_ref() {
        return Some(Problem::bad_request("request/invalid-encoding", "the body is not valid UTF-8"));
    }
    if let Some(ReadBodyError::BodyHasBeenTaken) = error.downcast_ref() {
        return None;
    }
    let reason = BodyError::find(error);
    Some(reason.map_or_else(
        || Problem::bad_request("request/incomplete", "the body ended before it was complete"),
        BodyError::problem,
    ))
}

fn by_status(error: poem::Error) -> Problem {
    let status = error.status();
    if status.is_client_error() {
        let title = status.canonical_reason().unwrap_or("the request is refused");
        return Problem::new(status, "request/refused", title.to_lowercase());
    }
    Problem::internal(error)
}

/// poem-openapi's words without the names of Rust types around them.
pub(crate) fn plain(reason: &str) -> &str {
    let reason = reason.split(" (occurred while parsing").next().unwrap_or(reason);
    let words = match reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, words)) => words,
        None => reason,
    };
    if words == "Expect a valid enumeration value." { "must be one of the documented values" } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_errors_say_nothing_to_the_client() {
        let source = std::io::Error::other("select * from users");
        let problem = problem_of(poem::error::InternalServerError(source));
        assert_eq!(
            (problem.status(), problem.code()),
            (StatusCode::INTERNAL_SERVER_ERROR, "server/internal")
        );
        assert!(!problem.detail().contains("users") && problem.cause_chain().unwrap().contains("users"));
        let problem = problem_of(poem::error::BadRequest(std::io::Error::other("/etc/app")));
        assert_eq!((problem.status().as_u16(), problem.detail()), (400, "bad request"));
    }

    #[test]
    fn words_lose_the_names_of_types() {
        assert_eq!(plain("failed to parse \"id\": not an id (occurred while parsing \"New\")"), "not an id");
        assert_eq!(plain("other words"), "other words");
        assert_eq!(plain("Expect a valid enumeration value."), "must be one of the documented values");
    }
}
