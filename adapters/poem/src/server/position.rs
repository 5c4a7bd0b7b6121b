//! `Dolmen-Position`: how far the database had come when the client last wrote.
//!
//! An answer to a request that wrote carries it where there are read replicas. A client that sends it with its next
//! requests, to any instance, reads what it wrote; one that does not may read a little behind.

use dolmen::{ClientPosition, Position};
use poem::Request;
use poem::http::{HeaderMap, HeaderValue};

use crate::extract::single_header;
use crate::problem::Problem;

const HEADER: &str = "dolmen-position";

/// The client of a request.
///
/// # Errors
/// 400 when the header holds something else than an answer gave.
pub(super) fn client_of(request: &Request) -> Result<ClientPosition, Problem> {
    let Some(value) = single_header(request, HEADER)? else { return Ok(ClientPosition::default()) };
    let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok());
    position.map(|position| ClientPosition::new(Some(position))).ok_or_else(|| {
        Problem::bad_request(
            "request/invalid-position",
            "Dolmen-Position is not what an answer gave; send it unchanged, or leave it out",
        )
    })
}

/// Tells the client what it has to send from now on.
pub(super) fn tell(client: &ClientPosition, headers: &mut HeaderMap) {
    let Some(position) = client.written() else { return };
    if let Ok(value) = HeaderValue::from_str(&position.to_string()) {
        headers.insert(HEADER, value);
    }
}
