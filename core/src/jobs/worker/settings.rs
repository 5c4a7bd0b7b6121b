//! How a worker works.

use std::collections::BTreeMap;
use std::time::Duration;

use dolmen_ports::QueueName;

use crate::config::{Env, Refusal, SettingValue, Variable};

const CONCURRENCY: Variable = Variable::own("WORKER_CONCURRENCY", "how many jobs run at once", "16");
const QUEUES: Variable = Variable::own(
    "WORKER_QUEUES",
    "the queues to take jobs from, and how many jobs of one may run at once; not set means all",
    "default,mail:4",
);
const LEASE: Variable =
    Variable::own("WORKER_LEASE", "how long a job is held beyond the last heartbeat", "30s");
const RETENTION: Variable = Variable::own("WORKER_RETENTION", "how long finished jobs are kept", "7d");
const INBOX_RETENTION: Variable = Variable::own(
    "INBOX_RETENTION",
    "how long a handled request or message is remembered; a repeat that comes later is handled again",
    "7d",
);

/// The most that the environment may ask for: each job that runs has its task, and its place in every heartbeat.
const MAX_CONCURRENCY: u32 = 10_000;

/// How many jobs a worker runs at once, how long it holds them, how often it looks for more.
///
/// # Examples
/// ```
/// use dolmen::{QueueName, WorkerSettings};
/// let settings = WorkerSettings::new().with_concurrency(4).with_queues(vec![QueueName::new("mail")]);
/// assert_eq!(settings.concurrency(), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    concurrency: u32,
    queues: Vec<QueueName>,
    limits: BTreeMap<QueueName, u32>,
    lease: Duration,
    shortest_poll: Duration,
    longest_poll: Duration,
    kept_for: Duration,
    remembered_for: Duration,
    prune_every: Duration,
}

impl WorkerSettings {
    const LEAST_INBOX_RETENTION: Duration = Duration::from_hours(1);

    /// 16 jobs at once from all queues; leases of 30 seconds; a look every 250 ms that slows down to 5 seconds while
    /// nothing is found, or to 10 where the queue is told of the jobs of other processes; finished jobs and keys of the inbox are removed after 7 days.
    pub fn new() -> Self {
        Self {
            concurrency: 16,
            queues: Vec::new(),
            limits: BTreeMap::new(),
            lease: Duration::from_secs(30),
            shortest_poll: Duration::from_millis(250),
            longest_poll: Duration::from_secs(5),
            kept_for: Duration::from_hours(7 * 24),
            remembered_for: Duration::from_hours(7 * 24),
            prune_every: Duration::from_hours(1),
        }
    }

    /// Reads `APP_WORKER_CONCURRENCY`, `APP_WORKER_QUEUES`, `APP_WORKER_LEASE`, `APP_WORKER_RETENTION` and
    /// `APP_INBOX_RETENTION`.
    pub fn load(env: &mut Env) -> Self {
        let defaults = Self::new();
        let shares: Vec<QueueShare> = env.optional(&QUEUES).unwrap_or_default();
        let limits = shares.iter().filter_map(|share| Some((share.queue.clone(), share.most?))).collect();
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        Self {
            concurrency: env.or_in(&CONCURRENCY, defaults.concurrency, 1..=MAX_CONCURRENCY),
            queues: shares.into_iter().map(|share| share.queue).collect(),
            limits,
            lease: env.or_in(&LEASE, defaults.lease, 5 * second..=Duration::from_mins(30)),
            kept_for: env.or_in(&RETENTION, defaults.kept_for, second..=day * 3_650),
            remembered_for: env.or_in(
                &INBOX_RETENTION,
                defaults.remembered_for,
                Self::LEAST_INBOX_RETENTION..=day * 3_650,
            ),
            ..defaults
        }
    }

    /// Runs this many jobs at once, at least one.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Takes jobs from these queues only; none means all.
    #[must_use]
    pub fn with_queues(mut self, queues: Vec<QueueName>) -> Self {
        self.queues = queues;
        self
    }

    /// Runs at most `most` jobs of a queue at once, at least one, within those of the process: a slow neighbour then leaves
    /// room for others.
    #[must_use]
    pub fn with_queue_limit(mut self, queue: QueueName, most: u32) -> Self {
        self.limits.insert(queue, most.max(1));
        self
    }

    /// Holds a job this long beyond the last heartbeat, at least 300 ms. Heartbeats come every third of it.
    ///
    /// A job whose process died starts again after at most the lease and 4 seconds; a shorter lease costs more
    /// heartbeats and less patience with a slow database.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(300));
        self
    }

    /// Looks for jobs every `shortest` while there are some, and ever less often, up to `longest`, while there are none: twice as
    /// long where the queue is told of the jobs of other processes, and at most a second while that is interrupted.
    /// 10 ms is the least.
    #[must_use]
    pub fn with_poll(mut self, shortest: Duration, longest: Duration) -> Self {
        self.shortest_poll = shortest.max(Duration::from_millis(10));
        self.longest_poll = longest.max(self.shortest_poll);
        self
    }

    /// Removes done and discarded jobs after this long. Dead ones stay until somebody decides.
    #[must_use]
    pub fn with_retention(mut self, kept_for: Duration) -> Self {
        self.kept_for = kept_for;
        self
    }

    /// Forgets the keys of the inbox after this long, at least an hour: of requests with an `Idempotency-Key` and of
    /// messages. A repeat that comes later does its work a second time, so keep them for longer than any sender repeats.
    #[must_use]
    pub fn with_inbox_retention(mut self, remembered_for: Duration) -> Self {
        self.remembered_for = remembered_for.max(Self::LEAST_INBOX_RETENTION);
        self
    }

    /// Looks this often for finished jobs and old keys to remove, at least every second.
    #[must_use]
    pub fn with_prune_every(mut self, interval: Duration) -> Self {
        self.prune_every = interval.max(Duration::from_secs(1));
        self
    }

    /// How many jobs run at once.
    pub fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// The queues to take from; empty means all.
    pub fn queues(&self) -> &[QueueName] {
        &self.queues
    }

    /// How many jobs of a queue run at once, of those that have a limit of their own.
    pub fn queue_limits(&self) -> &BTreeMap<QueueName, u32> {
        &self.limits
    }

    /// How long a lease holds.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// How often leases are extended.
    pub fn heartbeat(&self) -> Duration {
        self.lease / 3
    }

    /// The shortest and the longest pause between two looks.
    pub fn poll(&self) -> (Duration, Duration) {
        (self.shortest_poll, self.longest_poll)
    }

    /// How long finished jobs are kept.
    pub fn retention(&self) -> Duration {
        self.kept_for
    }

    /// How long keys of the inbox are kept.
    pub fn inbox_retention(&self) -> Duration {
        self.remembered_for
    }

    /// How often finished jobs and old keys are removed.
    pub fn prune_every(&self) -> Duration {
        self.prune_every
    }
}

/// A queue, and how many of its jobs may run at once: `mail` or `mail:4`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct QueueShare {
    queue: QueueName,
    most: Option<u32>,
}

impl SettingValue for QueueShare {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let (name, most) = text.split_once(':').map_or((text, None), |(name, most)| (name, Some(most)));
        let most = most.map(|most| most.parse().ok().filter(|most| (1..=MAX_CONCURRENCY).contains(most)));
        if most == Some(None) {
            return Err(Refusal::new(format!(
                "after the colon must stand how many jobs may run at once, 1 to {MAX_CONCURRENCY}"
            )));
        }
        Ok(Self { queue: <QueueName as SettingValue>::parse(name)?, most: most.flatten() })
    }

    fn show(&self) -> String {
        self.most.map_or_else(|| self.queue.to_string(), |most| format!("{}:{most}", self.queue))
    }
}

impl SettingValue for QueueName {
    fn parse(text: &str) -> Result<Self, Refusal> {
        Self::parse(text).map_err(|_| Refusal::new("must be 1 to 64 of a-z, 0-9, _ and -"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self::new()
    }
}
