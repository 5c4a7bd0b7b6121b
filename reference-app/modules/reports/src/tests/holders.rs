//! Two holders of one job: the first lost its lease without a notice, as a process does that was stopped and goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dolmen::{InlineModule, JobContext, JobHandler, JobOutcome, ObjectStore, Registrar};
use tokio::sync::Notify;

use super::jobs::{Scene, scene_with};
use super::neighbours::ADA;
use crate::application::{MakeReport, UseCases};
use crate::domain::ReportStatus;

/// Holds the first who comes until it is opened.
#[derive(Debug, Default)]
struct Gate {
    taken: AtomicBool,
    arrived: Notify,
    open: Notify,
}

impl Gate {
    async fn pass(&self) {
        if !self.taken.swap(true, Ordering::SeqCst) {
            self.arrived.notify_one();
            self.open.notified().await;
        }
    }
}

/// The module with a gate between the claim of a report's job and its handler.
fn gated(gate: &Arc<Gate>) -> Scene {
    let gate = Arc::clone(gate);
    scene_with(|use_cases: Arc<UseCases>| {
        InlineModule::new("reports", move |registrar: &mut Registrar<'_>| {
            let (gate, use_cases) = (Arc::clone(&gate), Arc::clone(&use_cases));
            registrar.job::<MakeReport>(move |job: MakeReport, context: JobContext| {
                let (gate, use_cases) = (Arc::clone(&gate), Arc::clone(&use_cases));
                async move {
                    gate.pass().await;
                    use_cases.run(job, context).await
                }
            });
        })
    })
}

#[tokio::test]
async fn who_lost_the_lease_changes_nothing_of_a_report_that_another_made() {
    for down in [false, true] {
        let gate = Arc::new(Gate::default());
        let scene = gated(&gate);
        let report = scene.requested().await;
        let key = report.object_key(ADA).unwrap();
        let overtake = async {
            gate.arrived.notified().await;
            scene.app.fakes().clock().advance(Duration::from_hours(25));
            assert_eq!(scene.app.fakes().queue().rescue(1).await.unwrap().requeued, 1);
            assert_eq!(scene.outcomes().await, [JobOutcome::Done]);
            let made = scene.objects.head(&key).await.unwrap();
            scene.objects.down.store(down, Ordering::SeqCst);
            gate.open.notify_one();
            made
        };
        let (late, made) = tokio::join!(scene.outcomes(), overtake);
        assert_eq!(late, [JobOutcome::LeaseLost], "{down}");
        assert_eq!(scene.status(report.id).await, ReportStatus::Done, "{down}");
        assert_eq!(scene.objects.head(&key).await.unwrap(), made, "{down}");
    }
}
