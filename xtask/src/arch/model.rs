//! The workspace as the rules see it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::arch::layer::Layer;

/// Crates, their edges and their sources.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) crates: Vec<Crate>,
    /// Names in the layers table, by package; `None` is a layer that nobody knows.
    pub(crate) layers: BTreeMap<String, (String, Option<Layer>)>,
    /// Every crate that a build can contain, with a crate that asks for it.
    pub(crate) resolved: BTreeMap<String, Vec<String>>,
}

impl Model {
    pub(crate) fn layer(&self, package: &str) -> Option<Layer> {
        self.layers.get(package).and_then(|(_, layer)| *layer)
    }

    pub(crate) fn in_layer(&self, layer: Layer) -> impl Iterator<Item = &Crate> {
        self.crates.iter().filter(move |found| self.layer(&found.name) == Some(layer))
    }
}

/// A workspace member.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its `Cargo.toml`, as text and as a path from the root.
    pub(crate) manifest: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) sources: Vec<Source>,
}

impl Crate {
    /// Dependencies that users of the crate build: normal and build, not dev.
    pub(crate) fn shipped_dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Dev)
    }
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
}

/// Which table the line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Normal,
    Build,
    Dev,
}

/// A source file of a member.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, for messages.
    pub(crate) path: PathBuf,
    /// From the crate's `src/` folder; `None` for tests, examples and build scripts.
    pub(crate) below_src: Option<PathBuf>,
    pub(crate) text: String,
}
