//! Port errors as problems: one table for the whole program.

use std::time::Duration;

use dolmen::{ErrorKind, PortError};
use poem::http::StatusCode;

use super::Problem;

/// Somebody has to make room, which takes longer than a restart.
const ROOM_WITHIN: Duration = Duration::from_secs(10);

/// # Errors
/// By kind: what the caller did is a 4xx in the port's own words; what happened to us is a 5xx in general words, and the
/// error goes to the log.
impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::not_found(),
            ErrorKind::Unauthenticated => Self::unauthenticated(),
            ErrorKind::PermissionDenied => Self::forbidden(words(&error)),
            ErrorKind::AlreadyExists => Self::conflict("conflict/already-exists", words(&error)),
            ErrorKind::Conflict => Self::conflict("conflict/version", words(&error)),
            ErrorKind::InvalidInput => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "request/validation", words(&error))
            }
            ErrorKind::RateLimited => {
                let wait = error.retry_after().unwrap_or(Duration::from_secs(1));
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "request/rate-limited",
                    "too many requests; slow down",
                )
                .with_retry_after(wait)
            }
            ErrorKind::StorageFull => storage_full(error),
            ErrorKind::Contention | ErrorKind::Timeout | ErrorKind::Unavailable => unavailable(error),
            _ => Self::internal(error),
        }
    }
}

fn unavailable(error: PortError) -> Problem {
    let wait = error.retry_after().unwrap_or(Duration::from_secs(1));
    Problem::unavailable("server/unavailable", "we cannot do this at the moment; try again")
        .with_retry_after(wait)
        .with_cause(error)
}

/// Not 507: clients and proxies know what to do about 503, and the code tells the two apart.
fn storage_full(error: PortError) -> Problem {
    let wait = error.retry_after().unwrap_or(ROOM_WITHIN);
    Problem::unavailable("server/storage-full", "we have no room to store anything; try again later")
        .with_retry_after(wait)
        .with_cause(error)
}

/// The adapter's words for a person, which never hold the source.
fn words(error: &PortError) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: ErrorKind) -> Problem {
        PortError::new(kind, "database", "begin").with_source("password=hunter2").into()
    }

    #[test]
    fn sources_go_to_the_log_and_not_to_the_client() {
        for kind in [ErrorKind::Internal, ErrorKind::Unavailable, ErrorKind::WrongBackend] {
            let problem = problem(kind);
            let body = serde_json::to_string(&problem.document(Some("1"))).unwrap();
            assert!(problem.status().is_server_error());
            assert!(!body.contains("hunter2") && !body.contains("database"), "{body}");
            assert!(problem.cause_chain().unwrap().contains("hunter2"));
        }
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_outages() {
        let problem = problem(ErrorKind::StorageFull);
        assert_eq!((problem.status().as_u16(), problem.code()), (503, "server/storage-full"));
        assert_eq!(problem.to_response(None).header("retry-after"), Some("10"));
    }

    #[test]
    fn a_busy_port_says_when_to_come_back() {
        let error = PortError::new(ErrorKind::RateLimited, "mail", "send")
            .with_retry_after(Duration::from_millis(1_500));
        let response = Problem::from(error).to_response(None);
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.header("retry-after"), Some("2"));
    }
}
