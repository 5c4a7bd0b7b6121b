//! Measuring two sides in turns, so that both meet the same machine.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dolmen::BoxError;
use tokio::task::JoinSet;

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    /// Rounds; in each, both sides run once, and who begins changes
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// Seconds of one side in one round
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u64,
    /// Tasks that write at the same time
    #[arg(long, default_value_t = 8)]
    pub(crate) writers: u32,
}

/// One way to do the work.
#[async_trait]
pub(crate) trait Side: Send + Sync {
    /// Does it once.
    async fn work(&self) -> Result<(), BoxError>;
}

/// What is compared: ours, and the raw limit.
pub(crate) struct Sides {
    pub(crate) ours: Arc<dyn Side>,
    pub(crate) plain: Arc<dyn Side>,
}

/// One side in one round.
#[derive(Debug, Clone, Copy)]
struct Lap {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// The laps of all rounds.
pub(crate) struct Report {
    plan: Plan,
    rounds: Vec<(Lap, Lap)>,
}

/// Runs both sides in turns.
pub(crate) async fn race(sides: &Sides, plan: Plan) -> Result<Report, BoxError> {
    // Once unmeasured: connections are opened, statements prepared, files grown.
    for side in [&sides.plain, &sides.ours] {
        lap(side, Plan { seconds: 1, ..plan }).await?;
    }
    let mut rounds = Vec::new();
    for round in 0..plan.rounds {
        rounds.push(if round % 2 == 0 {
            let ours = lap(&sides.ours, plan).await?;
            (ours, lap(&sides.plain, plan).await?)
        } else {
            let plain = lap(&sides.plain, plan).await?;
            (lap(&sides.ours, plan).await?, plain)
        });
    }
    Ok(Report { plan, rounds })
}

async fn lap(side: &Arc<dyn Side>, plan: Plan) -> Result<Lap, BoxError> {
    let started = Instant::now();
    let end = started + Duration::from_secs(plan.seconds);
    let mut writers = JoinSet::new();
    for _ in 0..plan.writers {
        let side = Arc::clone(side);
        writers.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let before = Instant::now();
                side.work().await?;
                times.push(before.elapsed());
            }
            Ok::<_, BoxError>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(written) = writers.join_next().await {
        times.extend(written??);
    }
    let seconds = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    Ok(Lap { per_second: times.len() as f64 / seconds, p50: at(50), p99: at(99) })
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    fn median_of(&self, value: impl Fn(&(Lap, Lap)) -> f64) -> f64 {
        median(self.rounds.iter().map(value).collect())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { rounds, seconds, writers } = self.plan;
        writeln!(f, "{writers} writers, {rounds} rounds of {seconds} s a side, medians")?;
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        for (name, pick) in
            [("Dolmen", (|pair| pair.0) as fn(&(Lap, Lap)) -> Lap), ("plain sqlx", |pair| pair.1)]
        {
            writeln!(
                f,
                "  {name:10}  {:7.0} a second   p50 {:6.2} ms   p99 {:6.2} ms",
                self.median_of(|pair| pick(pair).per_second),
                self.median_of(|pair| millis(pick(pair).p50)),
                self.median_of(|pair| millis(pick(pair).p99)),
            )?;
        }
        // The median of each round's ratio, not the ratio of medians: both sides of one round met the same minute.
        writeln!(
            f,
            "  ratio       throughput {:.2}   p50 {:.2}   p99 {:.2}   (1 is the raw limit; more is better)",
            self.median_of(|(ours, plain)| ours.per_second / plain.per_second),
            self.median_of(|(ours, plain)| plain.p50.as_secs_f64() / ours.p50.as_secs_f64()),
            self.median_of(|(ours, plain)| plain.p99.as_secs_f64() / ours.p99.as_secs_f64()),
        )
    }
}
