//! Bodies of requests that end at a size and at a time, however they are sent.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::http::StatusCode;
use tokio::time::{Sleep, sleep};

use crate::problem::Problem;

/// Why reading a body was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the body did not arrive within {deadline:?}")]
    TooSlow { deadline: Duration },
}

impl BodyError {
    /// The reason among an error and its causes. Errors of I/O hide what they wrap, so both ways in are tried.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::TooLarge { limit } => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request/too-large",
                format!("the body is larger than {limit} bytes"),
            ),
            Self::TooSlow { deadline } => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "request/body-timeout",
                format!("the body did not arrive within {} seconds", deadline.as_secs()),
            ),
        }
    }
}

/// How much of a body that is too large is read and thrown away, so that the client comes to read the answer: a connection
/// that is closed on unread bytes is reset, and the answer with it.
pub(super) const DRAINED: u64 = 8 * 1_048_576;

/// A body that fails once it has given more than `limit` bytes, or when it is not complete by its deadline.
pub(crate) struct LimitedBody {
    inner: BoxBody<Bytes, io::Error>,
    limit: u64,
    read: u64,
    /// What the client said it would send, if it did.
    declared: u64,
    deadline: Duration,
    timer: Pin<Box<Sleep>>,
}

impl LimitedBody {
    pub(crate) fn new(inner: BoxBody<Bytes, io::Error>, limit: u64, deadline: Duration) -> Self {
        let declared = inner.size_hint().lower();
        Self { inner, limit, read: 0, declared, deadline, timer: Box::pin(sleep(deadline)) }
    }

    fn too_large(&self) -> io::Error {
        io::Error::other(BodyError::TooLarge { limit: self.limit })
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        loop {
            match Pin::new(&mut this.inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    let size = frame.data_ref().map_or(0, Bytes::len);
                    this.read = this.read.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
                    if this.read <= this.limit {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    if this.read > this.limit.saturating_add(DRAINED) {
                        return Poll::Ready(Some(Err(this.too_large())));
                    }
                }
                Poll::Ready(_) if this.read > this.limit => return Poll::Ready(Some(Err(this.too_large()))),
                Poll::Ready(end) => return Poll::Ready(end),
                Poll::Pending => {
                    let too_large = this.read.max(this.declared) > this.limit;
                    let reason = if too_large {
                        BodyError::TooLarge { limit: this.limit }
                    } else {
                        BodyError::TooSlow { deadline: this.deadline }
                    };
                    return this.timer.as_mut().poll(context).map(|()| Some(Err(io::Error::other(reason))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
