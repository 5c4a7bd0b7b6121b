//! What every crate takes from the workspace: its lints and its licence.

use crate::arch::model::{Crate, Model};
use crate::findings::Problem;

const LICENSE: &str = "MIT OR Apache-2.0";

/// Finds crates that opt out of the workspace's lints or state another licence.
pub(super) fn check(model: &Model) -> Vec<Problem> {
    model.crates.iter().flat_map(|member| [lints(member), license(member)]).flatten().collect()
}

fn lints(member: &Crate) -> Option<Problem> {
    (!inherits_lints(&member.manifest)).then(|| {
        Problem::new(
            member.manifest_path.display().to_string(),
            "the crate does not inherit the workspace's lints",
            "add `[lints]` with `workspace = true`",
        )
    })
}

fn license(member: &Crate) -> Option<Problem> {
    (member.license.as_deref() != Some(LICENSE)).then(|| {
        Problem::new(
            member.manifest_path.display().to_string(),
            format!("the SPDX licence is {:?}", member.license.as_deref().unwrap_or("missing")),
            "add `license.workspace = true` to [package]",
        )
    })
}

/// `[lints]` followed by `workspace = true`, or `lints.workspace = true` before any table.
fn inherits_lints(manifest: &str) -> bool {
    let mut table = "";
    manifest.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).any(|line| {
        if line.starts_with('[') {
            table = line;
        }
        let assignment: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        (table == "[lints]" && assignment == "workspace=true")
            || (table.is_empty() && assignment == "lints.workspace=true")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(manifest: &str, license: Option<&str>) -> Model {
        let member = Crate {
            name: "dolmen".to_owned(),
            manifest: manifest.to_owned(),
            manifest_path: "core/Cargo.toml".into(),
            license: license.map(str::to_owned),
            ..Crate::default()
        };
        Model { crates: vec![member], ..Model::default() }
    }

    #[test]
    fn inherited_lints_and_licence_pass() {
        let manifest = "[package]\nname = \"dolmen\"\n\n[lints]\nworkspace = true # all of them\n";
        assert_eq!(check(&member(manifest, Some(LICENSE))), []);
    }

    #[test]
    fn own_missing_or_commented_lints_are_reported() {
        for manifest in [
            "[package]\n",
            "[lints.rust]\nunsafe_code = \"allow\"\n",
            "[lints]\n# workspace = true\n",
            "[lints]\nworkspace = false\n",
            "[dependencies]\nworkspace = true\n",
        ] {
            assert_eq!(check(&member(manifest, Some(LICENSE))).len(), 1, "{manifest}");
        }
    }

    #[test]
    fn another_licence_or_none_is_reported() {
        let manifest = "[lints]\nworkspace = true\n";
        assert_eq!(check(&member(manifest, Some("GPL-3.0-only"))).len(), 1);
        assert_eq!(check(&member(manifest, None)).len(), 1);
    }
}
