//! The architecture check: who may depend on whom, between crates and inside a module.
//!
//! The rules are pure functions over [`model::Model`]; only [`check`] talks to cargo and the disk.

mod inherited;
mod layer;
mod layers;
mod model;
mod module_sources;
mod native_sql;
mod reading;
mod requirements;
mod third_party;

use crate::failure::Outcome;
use crate::findings::Findings;
use crate::workspace::Workspace;

/// Checks the whole workspace in seconds.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let model = reading::model(workspace)?;
    let mut findings = Findings::default();
    findings.absorb(layers::check(&model).into());
    findings.absorb(third_party::check(&model));
    findings.absorb(inherited::check(&model).into());
    findings.absorb(module_sources::check(&model).into());
    findings.absorb(requirements::check(&model).into());
    findings.absorb(native_sql::uses(&model));
    Ok(findings)
}
