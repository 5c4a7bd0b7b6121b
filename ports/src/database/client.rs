//! What a client has seen of the database, while a request of it is handled.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::position::Position;

thread_local! {
    /// Whose work is being polled on this thread.
    static CURRENT: RefCell<Option<ClientPosition>> = const { RefCell::new(None) };
}

/// How far the database had come when a client last wrote. A clone is the same client.
///
/// Whoever serves requests makes one of what the client sent, handles the request within [`ClientPosition::follow`], and
/// gives the client [`ClientPosition::written`] with the answer. Meanwhile, commits move it on, and reads from replicas see
/// at least this much. `dolmen-poem` does so for each request; use cases never see it.
///
/// # Examples
/// ```
/// use dolmen_ports::{ClientPosition, Database, Position, PortResult, ReadFrom, TenantId};
/// async fn answer(database: &Database, tenant: TenantId, sent: Option<Position>) -> PortResult<Option<Position>> {
///     let client = ClientPosition::new(sent);
///     let read = database.tenant(tenant).read_from(ReadFrom::Replica, async |_tx| PortResult::Ok(()));
///     client.follow(read).await?;
///     Ok(client.written())
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClientPosition(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    seen: Option<Position>,
    has_written: bool,
}

impl ClientPosition {
    /// A client that sent this position.
    pub fn new(sent: Option<Position>) -> Self {
        Self(Arc::new(Mutex::new(State { seen: sent, has_written: false })))
    }

    /// Runs `work` for this client. Tasks that `work` spawns are not part of it.
    ///
    /// # Cancel safety
    /// As `work`.
    pub async fn follow<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            let _entered = Entered::new(self.clone());
            work.as_mut().poll(context)
        })
        .await
    }

    /// What the client should send from now on; nothing when it wrote nothing, or when there are no replicas.
    pub fn written(&self) -> Option<Position> {
        let state = self.state();
        state.seen.filter(|_| state.has_written)
    }

    /// What it has to see.
    pub(super) fn seen(&self) -> Option<Position> {
        self.state().seen
    }

    pub(super) fn advance(&self, position: Position) {
        let mut state = self.state();
        state.seen = Some(state.seen.map_or(position, |seen| seen.max(position)));
        state.has_written = true;
    }

    /// The client for whom the calling code runs.
    pub(super) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, this thread works for a client.
struct Entered {
    before: Option<ClientPosition>,
}

impl Entered {
    fn new(client: ClientPosition) -> Self {
        Self { before: CURRENT.replace(Some(client)) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(mem::take(&mut self.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position::Log { system: 1, timeline: 1, offset }
    }

    #[tokio::test]
    async fn clients_side_by_side_and_within_each_other_keep_apart() {
        let (outer, inner) = (ClientPosition::new(Some(at(1))), ClientPosition::new(Some(at(2))));
        let seen = || ClientPosition::current().and_then(|client| client.seen());
        outer
            .follow(async {
                tokio::task::yield_now().await;
                assert_eq!(inner.follow(async { seen() }).await, Some(at(2)));
                assert_eq!(seen(), Some(at(1)));
            })
            .await;
        assert_eq!(seen(), None);
    }

    #[test]
    fn a_client_never_goes_back() {
        let client = ClientPosition::new(Some(at(5)));
        assert_eq!(client.written(), None);
        client.advance(at(4));
        assert_eq!(client.written(), Some(at(5)));
        client.advance(at(6));
        assert_eq!(client.written(), Some(at(6)));
        assert_eq!(client.seen(), client.written());
    }
}
