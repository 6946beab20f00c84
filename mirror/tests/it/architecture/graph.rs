use cargo_metadata::{DependencyKind, Metadata, Package};
use std::collections::{BTreeMap, BTreeSet};

/// Who needs whom to be built; what only tests need is left out.
#[derive(Default)]
pub(super) struct Graph {
    /// Our packages and what they name in their manifests.
    pub(super) ours: BTreeMap<String, BTreeSet<String>>,
    /// Everything in the build, ours too, and what it is linked with.
    pub(super) all: BTreeMap<String, BTreeSet<String>>,
    /// The licence each foreign package declares.
    pub(super) licences: BTreeMap<String, String>,
}

impl Graph {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let mut graph = Self::default();
        for package in metadata.workspace_packages() {
            let named = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .map(|dependency| dependency.name.clone())
                .collect();
            graph.ours.insert(package.name.to_string(), named);
        }
        let by_id: BTreeMap<_, &Package> =
            metadata.packages.iter().map(|it| (&it.id, it)).collect();
        let resolve = metadata.resolve.as_ref().unwrap();
        for node in &resolve.nodes {
            let package = by_id[&node.id];
            // Two versions of one crate are one here: a rule about a crate is about all of them.
            let linked = graph.all.entry(package.name.to_string()).or_default();
            for dependency in &node.deps {
                let to_build = dependency
                    .dep_kinds
                    .iter()
                    .any(|info| info.kind != DependencyKind::Development);
                if to_build {
                    linked.insert(by_id[&dependency.pkg].name.to_string());
                }
            }
            if package.source.is_some() {
                let licence = package.license.clone().unwrap_or_default();
                graph.licences.insert(package.name.to_string(), licence);
            }
        }
        graph
    }

    /// Everything `from` is linked with, directly or not.
    pub(super) fn reach(&self, from: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            for next in self.all.get(name).into_iter().flatten() {
                if reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        reached
    }
}
