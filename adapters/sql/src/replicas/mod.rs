//! Reads on replicas: which one, and when rather the primary.
//!
//! A read takes the replica with the fewest reads under way among those that are in use. A replica is in use while the
//! last look at it found that it belongs to the primary and lags little enough. A read that has to see a position asks
//! the session that it got, right before its transaction begins, so what counts is the server that really answers, also
//! behind a balancer. Whatever is in the way, the primary takes the read, and the reason is counted.

mod fallback;
mod history;
mod member;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dolmen_ports::{Clock, ErrorKind, Position, SystemClock, Timestamp};
use tokio::time::timeout;

use self::fallback::{Fallback, Fallbacks};
use self::history::History;
use self::member::Member;
pub(crate) use self::member::Reading;
use self::watch::Watch;
use crate::database::SqlOptions;
use crate::driver::{Backend, LogPosition, Mode, Session, Standing};

/// The replicas of one database.
#[derive(Debug)]
pub(crate) struct Replicas {
    shared: Arc<Shared>,
    watch: Watch,
}

#[derive(Debug)]
struct Shared {
    members: Vec<Member>,
    primary: Mutex<Primary>,
    fallbacks: Fallbacks,
    options: SqlOptions,
}

/// What the last looks at the primary saw.
#[derive(Debug)]
struct Primary {
    standing: Option<Standing>,
    /// When the last look saw it.
    looked_at: Option<Timestamp>,
    history: History,
}

/// How a replica was at the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Its place in `DATABASE_READ_URLS`, from 1.
    pub number: usize,
    /// How far behind the primary it was.
    pub lag: Duration,
    /// Why it gets no reads; nothing when it does.
    pub out_of_use: Option<String>,
}

/// What a database can tell a client that wrote, so that it reads its own writes from replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Positions {
    /// How far the log went: a replica that has come so far takes the read.
    Log,
    /// Until when the client stays on the primary.
    Time,
    /// Nothing: it has no replicas.
    None,
}

impl Replicas {
    /// Looks at the replicas from now on. Nothing fails when none can be reached: reads go to the primary.
    pub(crate) fn new(
        primary: Arc<dyn Backend>,
        replicas: Vec<Box<dyn Backend>>,
        options: &SqlOptions,
    ) -> Self {
        let members = replicas.into_iter().zip(1..).map(|(backend, number)| Member::new(number, backend));
        let shared = Arc::new(Shared {
            members: members.collect(),
            primary: Mutex::new(Primary {
                standing: None,
                looked_at: None,
                history: History::new(options.max_replica_lag + options.replica_check_interval),
            }),
            fallbacks: Fallbacks::new(options.metrics.clone()),
            options: options.clone(),
        });
        let watch = Watch::start(primary, Arc::clone(&shared));
        Self { shared, watch }
    }

    /// A read transaction on a replica that has come so far; nothing when the primary has to take it.
    pub(crate) async fn open(&self, after: Option<Position>) -> Option<(Box<dyn Session>, Reading)> {
        match self.shared.open(after).await {
            Ok(opened) => Some(opened),
            Err(reason) => {
                self.shared.fallbacks.count(reason);
                None
            }
        }
    }

    /// Whether the primary tells how far its log goes.
    pub(crate) fn know_the_log(&self) -> bool {
        self.shared.primary().standing.is_some_and(|standing| standing.timeline > 0)
    }

    /// What a client has to see that has just written; `log` is what the server said at the commit.
    pub(crate) fn position(&self, log: Option<LogPosition>) -> Position {
        let system = self.shared.primary().standing.map(|standing| standing.system);
        match (log, system) {
            (Some(LogPosition { timeline, offset }), Some(system)) => {
                Position::Log { system, timeline, offset }
            }
            _ => Position::Primary { until: self.shared.replicas_have_it_all() },
        }
    }

    /// What a client has to see whose commit begins now and may not be answered. It takes place within the time of a
    /// statement, or never.
    pub(crate) fn position_in_doubt(&self) -> Position {
        let until = self.shared.replicas_have_it_all();
        Position::Primary { until: until.plus(self.shared.options.statement_timeout) }
    }

    /// How the replicas are.
    pub(crate) fn status(&self) -> Vec<ReplicaStatus> {
        self.shared.members.iter().map(Member::status).collect()
    }

    /// How many reads the primary took, by reason.
    pub(crate) fn fallbacks(&self) -> Vec<(&'static str, u64)> {
        self.shared.fallbacks.counted()
    }

    pub(crate) async fn close(&self) {
        self.watch.stop();
        for member in &self.shared.members {
            member.backend.close().await;
        }
    }
}

impl Shared {
    async fn open(&self, after: Option<Position>) -> Result<(Box<dyn Session>, Reading), Fallback> {
        let wanted = match after {
            // Until then, and until the primary was looked at after it: what replicas lack is judged by the looks.
            Some(Position::Primary { until })
                if SystemClock.now() < until || self.primary().looked_at.is_none_or(|at| at < until) =>
            {
                return Err(Fallback::RecentWrite);
            }
            Some(Position::Log { system, timeline, offset }) => {
                let known = self.primary().standing;
                if known.is_none_or(|known| known.system != system || known.timeline < timeline) {
                    return Err(Fallback::OtherHistory);
                }
                Some(LogPosition { timeline, offset })
            }
            _ => None,
        };
        let mut candidates: Vec<&Member> = self.members.iter().filter(|member| member.is_in_use()).collect();
        if candidates.is_empty() {
            return Err(Fallback::NoneInUse);
        }
        candidates.sort_by_key(|member| (!member.had_come_to(wanted), member.reads()));
        for member in candidates {
            let reading = member.begin_reading();
            let open = async {
                match wanted {
                    None => member.backend.open(Mode::Read).await.map(Some),
                    Some(position) => member.backend.open_after(position.offset).await,
                }
            };
            match timeout(self.options.acquire_timeout, open).await {
                Ok(Ok(Some(session))) => return Ok((session, reading)),
                // The others are not asked: those that were known to be further came first.
                Ok(Ok(None)) => return Err(Fallback::Behind),
                Ok(Err(error)) if error.kind() != ErrorKind::Timeout => member.take_out(&error),
                // Whether it is busy or gone, the next look will tell.
                _ => return Err(Fallback::Busy),
            }
        }
        Err(Fallback::Unreachable)
    }

    /// From then on, replicas that are in use have applied everything that is committed now: until then every one of them
    /// was looked at again, and found to lag less than the maximum. The last second is for clocks that differ.
    fn replicas_have_it_all(&self) -> Timestamp {
        let looks = (self.options.replica_check_interval + watch::limit(&self.options) * 2) * 2;
        SystemClock.now().plus(self.options.max_replica_lag + looks + Duration::from_secs(1))
    }

    fn primary(&self) -> std::sync::MutexGuard<'_, Primary> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
