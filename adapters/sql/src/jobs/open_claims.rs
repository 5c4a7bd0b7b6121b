//! The claims of this process whose jobs are not all settled.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dolmen_ports::{ClaimId, JobId, Lease};

/// Which jobs of each claim are not settled yet. With the last one the claim's row has to go: every claim looks through all
/// rows. A process that dies before leaves it to the rescue.
#[derive(Debug, Default)]
pub(crate) struct OpenClaims(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: HashMap<ClaimId, HashSet<JobId>>,
    over: Vec<ClaimId>,
}

impl OpenClaims {
    /// Notes what a claim took.
    pub(super) fn open(&self, claim: ClaimId, jobs: impl Iterator<Item = JobId>) {
        self.state().open.insert(claim, jobs.collect());
    }

    /// Notes that jobs are settled, in whatever way.
    pub(super) fn settle<'l>(&self, leases: impl IntoIterator<Item = &'l Lease>) {
        let mut state = self.state();
        for lease in leases {
            let Some(jobs) = state.open.get_mut(&lease.claim) else { continue };
            jobs.remove(&lease.job);
            if jobs.is_empty() {
                state.open.remove(&lease.claim);
                state.over.push(lease.claim);
            }
        }
    }

    /// How many claims wait for their rows to go.
    pub(super) fn count_over(&self) -> usize {
        self.state().over.len()
    }

    /// Takes the claims whose rows can go.
    pub(super) fn take_over(&self) -> Vec<ClaimId> {
        std::mem::take(&mut self.state().over)
    }

    /// Puts them back: their rows are still there.
    pub(super) fn put_back(&self, claims: Vec<ClaimId>) {
        self.state().over.extend(claims);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use dolmen_ports::Uuid;

    use super::*;

    #[test]
    fn a_claim_is_over_with_its_last_job_and_only_once() {
        let lease = |job| {
            let (job, claim) = (JobId::new(Uuid::from_u128(job)), ClaimId::new(Uuid::from_u128(7)));
            Lease::new(job, 1, claim)
        };
        let claims = OpenClaims::default();
        claims.open(lease(1).claim, [lease(1).job, lease(2).job].into_iter());
        claims.settle([&lease(1), &lease(1)]);
        assert_eq!(claims.take_over(), []);
        claims.settle([&lease(2)]);
        claims.settle([&lease(2)]);
        let over = claims.take_over();
        assert_eq!(over, [lease(2).claim]);
        assert_eq!(claims.take_over(), []);
        claims.put_back(over);
        assert_eq!(claims.take_over().len(), 1);
    }
}
