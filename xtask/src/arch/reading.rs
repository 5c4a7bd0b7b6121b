//! Reads the model from `cargo metadata` and the disk.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::arch::layer::Layer;
use crate::arch::model::{Crate, Dependency, DependencyKind, Model, Source};
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::workspace::Workspace;

/// Asks cargo about the workspace, with every feature on, for the machine we are on.
pub(super) fn model(workspace: &Workspace) -> Outcome<Model> {
    let host = host_triple(workspace)?;
    let arguments = ["metadata", "--format-version", "1", "--all-features", "--filter-platform", &host];
    let text = process::output_of(process::cargo(workspace.root()).args(arguments))
        .while_doing("read the workspace")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let mut model = from_metadata(&metadata)?;
    for member in &mut model.crates {
        let manifest = workspace.relative(&member.manifest_path);
        member.manifest = workspace.read(&manifest)?;
        member.sources = sources(workspace, manifest.parent().unwrap_or(Path::new("")))?;
        member.manifest_path = manifest;
    }
    Ok(model)
}

fn host_triple(workspace: &Workspace) -> Outcome<String> {
    let version =
        process::output_of(std::process::Command::new("rustc").arg("-vV").current_dir(workspace.root()))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

fn from_metadata(metadata: &Value) -> Outcome<Model> {
    let members: Vec<&str> = list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    let packages = list(metadata, "packages");
    let crates = packages
        .iter()
        .filter(|package| members.contains(&text(package, "id")))
        .map(member)
        .collect::<Vec<_>>();
    if crates.is_empty() {
        return Err(Failure::new("`cargo metadata` lists no workspace member"));
    }
    Ok(Model { crates, layers: layers(metadata), resolved: resolved(metadata, packages) })
}

fn member(package: &Value) -> Crate {
    Crate {
        name: text(package, "name").to_owned(),
        manifest_path: text(package, "manifest_path").into(),
        license: package["license"].as_str().map(str::to_owned),
        dependencies: list(package, "dependencies").iter().map(dependency).collect(),
        ..Crate::default()
    }
}

fn dependency(entry: &Value) -> Dependency {
    let kind = match entry["kind"].as_str() {
        Some("dev") => DependencyKind::Dev,
        Some("build") => DependencyKind::Build,
        _ => DependencyKind::Normal,
    };
    Dependency { name: text(entry, "name").to_owned(), kind }
}

fn layers(metadata: &Value) -> BTreeMap<String, (String, Option<Layer>)> {
    let Some(table) = metadata.pointer("/metadata/dolmen/layers").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    table
        .iter()
        .flat_map(|(layer, packages)| {
            let packages = packages.as_array().map(Vec::as_slice).unwrap_or_default();
            packages
                .iter()
                .filter_map(Value::as_str)
                .map(move |package| (package.to_owned(), (layer.clone(), Layer::parse(layer))))
        })
        .collect()
}

/// Each crate that the resolver chose, with the crates that ask for it.
fn resolved(metadata: &Value, packages: &[Value]) -> BTreeMap<String, Vec<String>> {
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|package| (text(package, "id"), text(package, "name"))).collect();
    let mut parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"], "nodes") {
        let Some(parent) = names.get(text(node, "id")) else { continue };
        for child in list(node, "dependencies").iter().filter_map(|id| names.get(id.as_str()?)) {
            parents.entry((*child).to_owned()).or_default().push((*parent).to_owned());
        }
    }
    parents
}

fn sources(workspace: &Workspace, folder: &Path) -> Outcome<Vec<Source>> {
    let mut found = Vec::new();
    for path in workspace.files(&folder.to_string_lossy(), "rs")? {
        let inside = path.strip_prefix(folder).unwrap_or(&path);
        if workspace.root().join(folder) != owner(workspace, &path) {
            continue;
        }
        found.push(Source {
            below_src: inside.strip_prefix("src").ok().map(Path::to_owned),
            text: workspace.read(&path)?,
            path,
        });
    }
    Ok(found)
}

/// The nearest folder above a file that holds a `Cargo.toml`: nested crates own their files.
fn owner(workspace: &Workspace, file: &Path) -> std::path::PathBuf {
    let absolute = workspace.root().join(file);
    absolute
        .ancestors()
        .skip(1)
        .find(|folder| folder.join("Cargo.toml").is_file())
        .unwrap_or(workspace.root())
        .to_owned()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_edges_layers_and_parents_are_read() {
        let metadata = json!({
            "workspace_members": ["p#1", "c#1"],
            "packages": [
                {"id": "p#1", "name": "dolmen-ports", "manifest_path": "/r/ports/Cargo.toml", "license": "MIT",
                 "dependencies": []},
                {"id": "c#1", "name": "dolmen", "manifest_path": "/r/core/Cargo.toml", "license": null,
                 "dependencies": [{"name": "dolmen-ports", "kind": null}, {"name": "cc", "kind": "build"},
                                  {"name": "dolmen-testkit", "kind": "dev"}]},
                {"id": "x#1", "name": "openssl", "dependencies": []},
            ],
            "metadata": {"dolmen": {"layers": {"ports": ["dolmen-ports"], "nonsense": ["dolmen"]}}},
            "resolve": {"nodes": [{"id": "c#1", "dependencies": ["p#1", "x#1"]}]},
        });
        let model = from_metadata(&metadata).expect("a model");
        let kinds: Vec<_> = model.crates[1].dependencies.iter().map(|edge| edge.kind).collect();
        assert_eq!(kinds, [DependencyKind::Normal, DependencyKind::Build, DependencyKind::Dev]);
        assert_eq!(model.layer("dolmen-ports"), Some(Layer::Ports));
        assert_eq!(model.layers.get("dolmen"), Some(&("nonsense".to_owned(), None)));
        assert_eq!(model.resolved.get("openssl"), Some(&vec!["dolmen".to_owned()]));
    }
}
