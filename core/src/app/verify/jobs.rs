//! Kinds of job.

use std::collections::BTreeMap;

use dolmen_ports::{JobId, ModuleName, NewJob, Scope, Uuid};

use super::events::belongs_to;
use crate::app::violation::Violation;
use crate::registrar::{JobRegistration, Registration};

pub(super) fn check(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen: BTreeMap<&str, ModuleName> = BTreeMap::new();
    for registration in registrations {
        let module = registration.module;
        for job in &registration.jobs {
            let kind = &job.kind;
            if !belongs_to(kind, module) {
                violations.push(Violation::ForeignName { module, what: "job kind", name: kind.clone() });
            }
            if let Some(reason) = why_unusable(job) {
                violations.push(Violation::UnusableJob { module, kind: kind.clone(), reason });
            }
            match seen.get(kind.as_str()) {
                Some(other) => {
                    violations.push(Violation::DuplicateJobKind {
                        module,
                        kind: kind.clone(),
                        other: *other,
                    });
                }
                None => drop(seen.insert(kind, module)),
            }
        }
    }
    violations
}

/// The rule of the queue that every job of this kind would break.
fn why_unusable(job: &JobRegistration) -> Option<String> {
    let mut sample = NewJob::new(JobId::new(Uuid::nil()), job.kind.clone(), "null", Scope::System);
    sample.queue = job.queue.clone();
    sample.max_attempts = job.max_attempts;
    sample.timeout = job.timeout;
    sample.version = job.version;
    let error = sample.check().err()?;
    Some(error.detail().map_or_else(|| error.to_string(), str::to_owned))
}
