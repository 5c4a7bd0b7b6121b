//! A module's registration as people read it.

use super::reports::{JobReport, ModuleReport, RouteReport, ScheduleReport, SubscriptionReport};
use super::tables::tables;
use crate::registrar::{Registration, ScheduleRegistration};
use crate::schedule::CatchUp;

pub(super) fn module(registration: &Registration) -> ModuleReport {
    ModuleReport {
        name: registration.module.to_string(),
        requires: registration.requires.iter().map(ToString::to_string).collect(),
        tables: tables(&registration.migrations),
        jobs: jobs(registration),
        events: registration.events.iter().map(|event| (*event).to_owned()).collect(),
        subscriptions: subscriptions(registration),
        schedules: registration.schedules.iter().map(ScheduleReport::of).collect(),
        routes: routes(registration),
    }
}

fn jobs(registration: &Registration) -> Vec<JobReport> {
    let jobs = registration.jobs.iter().map(|job| JobReport {
        kind: job.kind.clone(),
        queue: job.queue.clone(),
        max_attempts: job.max_attempts,
        timeout_ms: u64::try_from(job.timeout.as_millis()).unwrap_or(u64::MAX),
    });
    jobs.collect()
}

fn subscriptions(registration: &Registration) -> Vec<SubscriptionReport> {
    let subscriptions = registration.subscriptions.iter().map(|subscription| SubscriptionReport {
        event: subscription.event.to_owned(),
        kind: subscription.kind.clone(),
    });
    subscriptions.collect()
}

impl ScheduleReport {
    pub(crate) fn of(schedule: &ScheduleRegistration) -> Self {
        Self {
            name: schedule.name.clone(),
            cron: schedule.cron.expression().to_owned(),
            zone: schedule.cron.time_zone().to_owned(),
            catch_up: match schedule.cron.policy() {
                CatchUp::Skip => "skip".to_owned(),
                CatchUp::Latest => "latest".to_owned(),
                CatchUp::Backfill(most) => format!("backfill {most}"),
            },
            kind: schedule.kind.to_owned(),
        }
    }
}

fn routes(registration: &Registration) -> Vec<RouteReport> {
    let routes = registration.routes.iter().flat_map(|set| {
        let access = set.access();
        set.routes().into_iter().map(move |route| RouteReport { route, access })
    });
    routes.collect()
}
