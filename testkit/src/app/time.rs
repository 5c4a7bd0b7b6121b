//! Time that passes when the test says so.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use dolmen::{JobRun, PublishedTick};
use dolmen_ports::PortResult;

use super::TestApp;

/// How far the clock goes at once when it is advanced, between two looks at the schedules.
const CLOCK_STEP: Duration = Duration::from_mins(1);

type Aged = Pin<Box<dyn Future<Output = PortResult<()>> + Send>>;

/// Makes the jobs of a database older, whose clock no test can move.
pub(super) struct Ageing(Box<dyn Fn(Duration) -> Aged + Send + Sync>);

impl fmt::Debug for Ageing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ageing")
    }
}

impl TestApp {
    /// Lets [`TestApp::advance`] make jobs older by `age`, where the clock of a database decides when they are due.
    ///
    /// On fakes the test's clock is the clock of everything, so nothing is to be aged. A real database has a clock of its
    /// own: there the jobs that wait are moved into the past instead, with their delays, retries and the periods of their
    /// unique keys. `dolmen_sql::test_database::age_jobs` does that. Let the test's clock begin at the machine's time, with
    /// `fakes.clock().set(SystemClock.now())`, so that instants of the two compare.
    ///
    /// ```text
    /// let app = TestApp::around(fakes, &app).with_ageing(move |by| {
    ///     let sql = sql.clone();
    ///     async move { age_jobs(&sql, by).await }
    /// });
    /// ```
    #[must_use]
    pub fn with_ageing<F, A>(mut self, age: F) -> Self
    where
        F: Fn(Duration) -> A + Send + Sync + 'static,
        A: Future<Output = PortResult<()>> + Send + 'static,
    {
        self.ageing = Some(Ageing(Box::new(move |by| Box::pin(age(by)))));
        self
    }

    /// Moves the clock on and publishes the ticks of schedules that come meanwhile, a minute at a time; runs no job, unless
    /// they run inline. What is due by then, the next [`TestApp::drain`] runs.
    ///
    /// A schedule begins when it is first seen: with the first call at the latest. This is the clock of the fakes and of
    /// schedules. Jobs in a real database follow its own clock: see [`TestApp::with_ageing`].
    ///
    /// # Errors
    /// Those of schedules and of the database.
    pub async fn advance(&self, by: Duration) -> PortResult<Vec<PublishedTick>> {
        let mut published = self.ticks.publish().await?;
        self.age(by).await?;
        let mut left = by;
        while !left.is_zero() {
            let step = left.min(CLOCK_STEP);
            left = left.saturating_sub(step);
            published.extend(self.step(step).await?);
        }
        Ok(published)
    }

    /// Moves the clock on as [`TestApp::advance`] does, and runs the jobs that come due meanwhile, minute by minute; returns
    /// the attempts.
    ///
    /// # Errors
    /// Those of [`TestApp::advance`] and [`TestApp::drain`].
    pub async fn run_for(&self, time: Duration) -> PortResult<Vec<JobRun>> {
        self.ticks.publish().await?;
        let mut runs = self.drain().await?;
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(CLOCK_STEP);
            left = left.saturating_sub(step);
            self.age(step).await?;
            self.step(step).await?;
            runs.extend(self.drain().await?);
        }
        Ok(runs)
    }

    async fn age(&self, by: Duration) -> PortResult<()> {
        match &self.ageing {
            Some(Ageing(age)) => age(by).await,
            None => Ok(()),
        }
    }

    async fn step(&self, by: Duration) -> PortResult<Vec<PublishedTick>> {
        self.fakes.clock().advance(by);
        let published = self.ticks.publish().await?;
        if let Some(inline) = &self.inline {
            inline.keep_up().await?;
        }
        Ok(published)
    }
}
