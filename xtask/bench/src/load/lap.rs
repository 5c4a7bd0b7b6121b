//! One rate for a while, and what is there afterwards.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use dolmen::BoxError;
use dolmen_sql::{SqlDatabase, sql, statement};

use super::Options;
use super::outcome::Outcome;
use super::shares::{Shares, Usage};
use crate::generator::{self, Latencies, Plan};
use crate::machine::DatabaseServer;
use crate::process::Process;

/// How long the worker may take for what is left when the requests have ended.
const PATIENCE: Duration = Duration::from_mins(2);

/// The processes under load, and their database.
pub(super) struct Site {
    sql: SqlDatabase,
    server: DatabaseServer,
    web: Process,
    worker: Process,
    next_number: u64,
}

/// What one rate brought.
pub(super) struct Lap {
    pub(super) outcome: Outcome,
    pub(super) shares: Shares,
}

impl Site {
    pub(super) async fn new(
        url: &str,
        sql: SqlDatabase,
        web: Process,
        worker: Process,
    ) -> Result<Self, BoxError> {
        let server = DatabaseServer::of(url).await;
        Ok(Self { sql, server, web, worker, next_number: 0 })
    }

    /// Sends requests at this rate, waits for their jobs, and counts both.
    pub(super) async fn lap(&mut self, options: &Options) -> Result<Lap, BoxError> {
        let plan = Plan {
            address: self.web.address()?,
            per_second: options.requests_per_second(),
            time: options.time(),
            connections: options.connections,
            first_number: self.next_number,
        };
        let before = self.usage();
        let started = Instant::now();
        let answers = generator::send(plan).await?;
        let took = started.elapsed();
        let shares = Shares::between(before, self.usage(), took);
        let (left, claims) = (self.waiting().await?, self.claims().await?);
        let ended = Instant::now();
        while self.waiting().await? > 0 && ended.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (mut starts, mut shipped) = (Latencies::default(), HashMap::<u64, u64>::new());
        for (number, after_us) in self.shipments(plan.first_number).await? {
            *shipped.entry(u64::try_from(number)?).or_default() += 1;
            starts.add_micros(u64::try_from(after_us).unwrap_or_default());
        }
        self.next_number += answers.asked();
        let lost = answers.accepted.iter().filter(|number| !shipped.contains_key(*number)).count();
        let twice = shipped.values().filter(|count| **count > 1).count();
        Ok(Lap {
            outcome: Outcome {
                jobs_per_second: options.requests_per_second(),
                took,
                answers,
                starts,
                left,
                claims,
                lost,
                twice,
            },
            shares,
        })
    }

    pub(super) async fn end(self) -> Result<(), BoxError> {
        self.web.end().await?;
        self.worker.end().await
    }

    fn usage(&self) -> Usage {
        Usage::now(self.server, &self.web, &self.worker)
    }

    /// Jobs that are not done.
    async fn waiting(&self) -> Result<i64, BoxError> {
        let database = self.sql.database();
        let read = database.system().read(async |tx| {
            statement!("dolmen", "select count(*) from dolmen_job where state = 'active'")
                .fetch_one::<(i64,)>(tx)
                .await
        });
        Ok(read.await?.0)
    }

    /// Rows of claims: each claim looks through all of them.
    async fn claims(&self) -> Result<i64, BoxError> {
        let database = self.sql.database();
        let read = database.system().read(async |tx| {
            statement!("dolmen", "select count(*) from dolmen_job_claim").fetch_one::<(i64,)>(tx).await
        });
        Ok(read.await?.0)
    }

    async fn shipments(&self, from: u64) -> Result<Vec<(i64, i64)>, BoxError> {
        let from = i64::try_from(from)?;
        let database = self.sql.database();
        let read = database.system().read(async |tx| {
            sql!("select number, started_after_us from bench_shipment where number >= ?", from)
                .fetch_all::<(i64, i64)>(tx)
                .await
        });
        Ok(read.await?)
    }
}
