//! Headers that say one thing.

use poem::Request;
use poem::http::HeaderValue;

use crate::problem::Problem;

/// The value of a header that may come once.
///
/// # Errors
/// 400 when it came again: programs on the way might have chosen differently.
pub(crate) fn single_header<'a>(
    request: &'a Request,
    name: &'static str,
) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = request.headers().get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Problem::bad_request(
            "request/repeated-header",
            format!("the header {name} came more than once; send it once"),
        )),
    }
}
