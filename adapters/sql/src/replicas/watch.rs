//! Looks at the replicas again and again: are they of this primary, and how far behind.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{Clock, ErrorKind, Metric, MetricKind, PortError, PortResult, SystemClock};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::Shared;
use super::member::Member;
use crate::database::SqlOptions;
use crate::driver::{Backend, Session, Standing};

static LAG_SECONDS: Metric = Metric {
    name: "database_replica_lag_seconds",
    help: "How far a replica is behind the primary, by its place in DATABASE_READ_URLS",
    unit: "seconds",
    labels: &["replica"],
    kind: MetricKind::Gauge,
};

/// The task that looks. It ends with this handle.
#[derive(Debug)]
pub(super) struct Watch(Option<AbortHandle>);

impl Watch {
    /// Outside of a runtime nobody looks, so no replica gets into use.
    pub(super) fn start(primary: Arc<dyn Backend>, shared: Arc<Shared>) -> Self {
        let runtime = Handle::try_current().ok();
        Self(runtime.map(|runtime| runtime.spawn(watch(primary, shared)).abort_handle()))
    }

    pub(super) fn stop(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn watch(primary: Arc<dyn Backend>, shared: Arc<Shared>) {
    let mut on_primary = Lookout::default();
    let mut on_replicas: Vec<Lookout> = shared.members.iter().map(|_| Lookout::default()).collect();
    let interval = shared.options.replica_check_interval;
    loop {
        let limit = limit(&shared.options);
        let known = look_at_primary(&*primary, &shared, &mut on_primary, limit).await;
        let looks = shared.members.iter().zip(&mut on_replicas);
        join_all(looks.map(|(member, lookout)| look_at_replica(member, &shared, lookout, known, limit)))
            .await;
        tokio::time::sleep(interval).await;
    }
}

/// How long a look may take. One that takes longer is none: what it says would be old.
pub(super) fn limit(options: &SqlOptions) -> Duration {
    options.replica_check_interval.max(Duration::from_secs(1))
}

async fn look_at_primary(
    primary: &dyn Backend,
    shared: &Shared,
    lookout: &mut Lookout,
    limit: Duration,
) -> Option<Standing> {
    let begun = SystemClock.now();
    let looked = lookout.look(primary, true, limit).await;
    let mut known = shared.primary();
    match looked {
        Ok(standing) => {
            known.standing = Some(standing);
            known.looked_at = Some(begun);
            known.history.push(Instant::now(), standing.offset);
        }
        // While the primary is away, replicas go on with what they have.
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "cannot look at the primary"),
    }
    known.standing
}

async fn look_at_replica(
    member: &Member,
    shared: &Shared,
    lookout: &mut Lookout,
    primary: Option<Standing>,
    limit: Duration,
) {
    let standing = match lookout.look(&*member.backend, false, limit).await {
        Ok(standing) => standing,
        Err(error) => return member.take_out(&error),
    };
    let lag = shared.primary().history.lag(Instant::now(), standing.offset);
    let allowed = shared.options.max_replica_lag;
    let out_of_use = match primary {
        None => Some("the primary could not be looked at yet".to_owned()),
        Some(primary) if primary.system != standing.system => {
            Some("it is a replica of another database".to_owned())
        }
        // A server that still follows the old primary after a failover.
        Some(primary) if primary.timeline != standing.timeline => {
            Some(format!("it is on timeline {}, the primary on {}", standing.timeline, primary.timeline))
        }
        Some(_) if lag > allowed => Some(format!("it lags {lag:.1?}, more than {allowed:?}")),
        Some(_) => None,
    };
    shared.options.metrics.set(&LAG_SECONDS, &[&member.number.to_string()], lag.as_secs_f64());
    member.saw(standing, lag, out_of_use);
}

/// A connection of its own, so that a pool that is in full use does not look like a dead server.
#[derive(Debug, Default)]
struct Lookout {
    session: Option<Box<dyn Session>>,
}

impl Lookout {
    async fn look(
        &mut self,
        backend: &dyn Backend,
        is_primary: bool,
        limit: Duration,
    ) -> PortResult<Standing> {
        // Taken out while it is in use: after an error or a silence it is not used again.
        let session = self.session.take();
        let looked = timeout(limit, async {
            let mut session = match session {
                Some(session) => session,
                None => backend.open_apart().await?,
            };
            let standing = backend.standing(&mut *session, is_primary).await?;
            Ok((session, standing))
        });
        match looked.await {
            Ok(Ok((session, standing))) => {
                self.session = Some(session);
                Ok(standing)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(PortError::new(ErrorKind::Timeout, "database", "look at a replica")
                .with_detail(format!("no answer within {limit:?}"))),
        }
    }
}
