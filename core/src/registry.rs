//! Which handler runs which kind of job.

use std::collections::BTreeMap;
use std::fmt;

use dolmen_ports::KnownKind;

use crate::registrar::JobRegistration;

/// The kinds of job that this program knows, with their handlers.
#[derive(Default)]
pub(crate) struct Registry {
    jobs: BTreeMap<String, JobRegistration>,
}

impl Registry {
    /// Of two registrations of one kind the first stays; `App::verify` has reported it.
    pub(crate) fn new(registrations: impl IntoIterator<Item = JobRegistration>) -> Self {
        let mut jobs = BTreeMap::new();
        for registration in registrations {
            jobs.entry(registration.kind.clone()).or_insert(registration);
        }
        Self { jobs }
    }

    pub(crate) fn find(&self, kind: &str) -> Option<&JobRegistration> {
        self.jobs.get(kind)
    }

    pub(crate) fn kinds(&self) -> Vec<KnownKind> {
        self.jobs.values().map(|job| KnownKind::new(job.kind.clone(), job.version)).collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.jobs.keys()).finish()
    }
}
