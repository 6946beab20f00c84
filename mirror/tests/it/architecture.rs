//! The shape of the workspace: who may depend on whom, which crate has which home, and that no
//! source file goes round either.

mod decisions;
mod graph;
mod rules;
mod sources;

use cargo_metadata::{Metadata, MetadataCommand};
use graph::Graph;
use std::{path::PathBuf, process::Command};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages that a build on this machine takes part of; asks no network.
fn metadata() -> Metadata {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--offline", "--locked", "--filter-platform", host].map(String::from))
        .exec()
        .unwrap()
}

#[track_caller]
fn holds(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn arrows_between_our_packages_point_one_way() {
    holds(&rules::arrows(&Graph::of(&metadata())));
}

#[test]
fn database_network_delivery_and_back_off_have_one_home_each() {
    holds(&rules::homes(&Graph::of(&metadata())));
}

#[test]
fn the_core_reaches_no_runtime_no_network_no_database_and_no_randomness() {
    holds(&rules::core_is_pure(&Graph::of(&metadata())));
}

#[test]
fn nothing_abandoned_and_no_second_tls_is_in_the_build() {
    holds(&rules::unwanted(&Graph::of(&metadata())));
}

#[test]
fn every_dependency_is_licensed_for_use_here() {
    holds(&rules::licences(&Graph::of(&metadata())));
}

#[test]
fn cargo_run_means_the_binary_people_use() {
    let metadata = metadata();
    let default: Vec<_> = metadata
        .workspace_default_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(default, ["issue-mirror"]);
}

#[test]
fn every_package_takes_the_lints_and_the_rust_version_of_the_workspace() {
    let metadata = metadata();
    let mut complaints = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        complaints.extend(rules::manifest(&package.name, &manifest));
    }
    holds(&complaints);
}

#[test]
fn sql_and_http_are_written_in_their_homes_only() {
    let files = sources::read(&root());
    assert!(files.len() > 50, "the scan finds the sources");
    holds(&sources::homes(&files));
}

#[test]
fn no_test_is_switched_off_and_no_file_is_a_box_of_odds_and_ends() {
    let files = sources::read(&root());
    holds(&sources::switched_off(&files));
    holds(&sources::odds_and_ends(&files));
}

#[test]
fn every_decision_names_tests_that_exist() {
    let papers = decisions::read(&root());
    assert!(papers.len() > 20, "the decisions are found");
    holds(&decisions::held(&papers, &sources::read(&root())));
}

#[test]
fn every_rule_of_the_engine_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/engine.md")).unwrap();
    holds(&decisions::rules_held(&text, 27, &sources::read(&root())));
}
