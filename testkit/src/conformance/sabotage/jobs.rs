//! Each promise of the queue, broken once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Database, JobQueue, PortResult};

use super::broken_queue::{BrokenQueue, Flaw};
use super::{assert_green, assert_red};
use crate::conformance::case::Case;
use crate::conformance::jobs::{self, JobsHarness};
use crate::conformance::{Harness, TransactionHarness};
use crate::fakes::MemoryDatabase;

struct BrokenHarness {
    memory: MemoryDatabase,
    database: Database,
    queue: Arc<BrokenQueue>,
}

impl BrokenHarness {
    fn new(flaw: Flaw) -> Self {
        let memory = MemoryDatabase::new();
        let queue = Arc::new(BrokenQueue::new(flaw, &memory));
        Self { database: memory.database(), queue, memory }
    }
}

impl Harness for BrokenHarness {}

impl TransactionHarness for BrokenHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}

#[async_trait]
impl JobsHarness for BrokenHarness {
    fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::clone(&self.queue) as Arc<dyn JobQueue>
    }

    async fn age(&self, by: Duration) -> PortResult<()> {
        self.memory.clock().advance(by);
        Ok(())
    }
}

fn cases(flaw: Flaw) -> Vec<Case> {
    jobs::cases("broken", move || std::future::ready(Ok(BrokenHarness::new(flaw))))
}

#[test]
fn without_a_flaw_every_case_is_green() {
    assert_green(cases(Flaw::None));
}

#[test]
fn each_flaw_turns_the_cases_of_its_promise_red() {
    let table: [(Flaw, &[&str]); 26] = [
        (
            Flaw::OwnTransactions,
            &[
                "JQ-1 a_rolled_back_job_is_not_there",
                "JQ-1 an_uncommitted_job_is_not_claimed",
                "JQ-7 completion_that_is_rolled_back_leaves_the_job_running",
            ],
        ),
        (
            Flaw::ClaimsTwice,
            &[
                "JQ-2 concurrent_callers_claim_each_job_exactly_once",
                "JQ-2 a_claimed_job_is_not_claimed_again",
            ],
        ),
        (
            Flaw::PollsForGreaterIds,
            &[
                "JQ-2 a_job_that_appears_behind_claimed_ones_is_claimed",
                "JQ-3 among_equal_priorities_the_longest_due_comes_first",
                "JQ-10 a_failed_job_waits_for_its_delay",
            ],
        ),
        (
            Flaw::IgnoresDelays,
            &[
                "JQ-3 a_delayed_job_is_not_claimed_before_it_is_due",
                "JQ-3 a_job_due_at_an_instant_is_claimed_after_it",
            ],
        ),
        (Flaw::IgnoresPriorities, &["JQ-3 smaller_priorities_come_first"]),
        (Flaw::DropsUnsoundJobs, &["JQ-4 a_job_that_breaks_a_rule_is_refused_with_all_its_batch"]),
        (
            Flaw::CountsNoAttempts,
            &["JQ-5 a_new_claim_voids_the_old_lease", "JQ-10 a_failed_job_waits_for_its_delay"],
        ),
        (
            Flaw::NoFencing,
            &[
                "JQ-6 a_zombie_cannot_complete",
                "JQ-6 a_zombie_cannot_complete_in_a_batch",
                "JQ-6 a_zombie_cannot_fail",
                "JQ-6 a_zombie_cannot_release",
            ],
        ),
        (
            Flaw::HidesLostLeases,
            &["JQ-6 completing_twice_gives_lease_lost", "JQ-6 a_rescued_job_is_lost_before_anyone_claims_it"],
        ),
        (Flaw::ClaimsExpiredJobs, &["JQ-8 an_expired_job_is_not_claimed_before_its_rescue"]),
        (Flaw::NoCrashCap, &["JQ-8 a_job_that_kills_its_worker_dies_after_three_crashes"]),
        (Flaw::ReleaseSpendsAttempts, &["JQ-9 releasing_spends_no_attempt"]),
        (Flaw::RetriesAtOnce, &["JQ-10 a_failed_job_waits_for_its_delay"]),
        (Flaw::NeverDies, &["JQ-10 a_job_whose_attempts_are_spent_is_dead"]),
        (
            Flaw::ForgetsUniqueKeys,
            &[
                "JQ-11 a_second_job_with_a_unique_key_is_a_duplicate",
                "JQ-11 of_concurrent_unique_jobs_one_is_new",
            ],
        ),
        (Flaw::RemembersRolledBackKeys, &["JQ-11 a_rolled_back_unique_job_does_not_count"]),
        (Flaw::ForgetsPeriods, &["JQ-11 a_key_can_be_unique_per_period"]),
        (
            Flaw::ForgetsLines,
            &[
                "JQ-17 of_a_line_the_first_is_claimed_alone",
                "JQ-17 who_comes_late_does_not_run_beside_another",
                "JQ-17 one_that_waits_holds_up_its_line",
            ],
        ),
        (Flaw::ForgetsVersions, &["JQ-12 jobs_with_newer_payloads_are_left_alone"]),
        (Flaw::ForgetsPauses, &["JQ-18 nothing_is_claimed_from_a_paused_queue"]),
        (Flaw::MixesLastChances, &["JQ-8 a_last_chance_is_handed_out_only_to_who_asks_for_it"]),
        (Flaw::ClaimsUnknownKinds, &["JQ-12 jobs_of_unknown_kinds_are_left_alone_and_counted"]),
        (Flaw::RetriesAnything, &["JQ-13 only_dead_jobs_can_be_retried"]),
        (Flaw::WaitsDeaf, &["JQ-14 a_commit_wakes_whoever_waits"]),
        (Flaw::ListsOldestFirst, &["JQ-15 a_list_shows_the_newest_first_page_by_page"]),
        (Flaw::PrunesDeadLetters, &["JQ-16 prune_removes_only_what_finished_long_ago"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, cases(flaw), names);
    }
}
