//! Watches how long a handler keeps its thread: async code gives it back within milliseconds.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::held::HeldJob;

/// A future that notes in its lease when a poll begins and ends; the heartbeat thread reads it.
pub(super) struct Watched<'a, F> {
    inner: F,
    held: &'a HeldJob,
}

impl<'a, F> Watched<'a, F> {
    pub(super) fn new(inner: F, held: &'a HeldJob) -> Self {
        Self { inner, held }
    }
}

impl<F: Future + Unpin> Future for Watched<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.held.enter_poll();
        let poll = Pin::new(&mut self.inner).poll(context);
        self.held.leave_poll();
        poll
    }
}
