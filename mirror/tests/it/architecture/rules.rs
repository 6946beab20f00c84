//! Each rule takes a graph and answers with its complaints, so that it can be shown to fail.

use super::graph::Graph;

/// Each package of ours and those of ours it may be built with. Tests may use any.
const ARROWS: &[(&str, &[&str])] = &[
    ("gitlab-sim", &[]),
    (
        "issue-mirror",
        &[
            "gitlab-sim",
            "mirror-api",
            "mirror-core",
            "mirror-gitlab",
            "mirror-queue",
            "mirror-runtime",
            "mirror-scheduler",
            "mirror-store",
            "mirror-worker",
        ],
    ),
    (
        "mirror-api",
        &[
            "mirror-core",
            "mirror-queue",
            "mirror-runtime",
            "mirror-store",
        ],
    ),
    ("mirror-core", &[]),
    ("mirror-gitlab", &["mirror-core"]),
    ("mirror-queue", &["mirror-core"]),
    ("mirror-runtime", &["mirror-core"]),
    (
        "mirror-scheduler",
        &[
            "mirror-core",
            "mirror-queue",
            "mirror-runtime",
            "mirror-store",
        ],
    ),
    ("mirror-store", &["mirror-core"]),
    (
        "mirror-worker",
        &[
            "mirror-core",
            "mirror-gitlab",
            "mirror-queue",
            "mirror-runtime",
            "mirror-store",
        ],
    ),
];

/// Families of crates and the one package of ours that may name them.
const HOMES: &[(&str, &str)] = &[
    ("apalis", "mirror-queue"),
    ("backon", "mirror-gitlab"),
    ("redis", "mirror-queue"),
    ("reqwest", "mirror-gitlab"),
    ("sqlx", "mirror-store"),
];

/// What would give the core a way to wait, to send, to store or to draw lots.
const IMPURE: &[&str] = &[
    "apalis",
    "axum",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "redis",
    "reqwest",
    "socket2",
    "sqlx",
    "tokio",
];

/// Crates that must not come in, whoever brings them, and why.
const UNWANTED: &[(&str, &str)] = &[
    ("aws-lc-rs", "a second TLS provider: rustls would find two"),
    ("aws-lc-sys", "a second TLS provider: rustls would find two"),
    (
        "backoff",
        "unmaintained (RUSTSEC-2025-0012): backon is used",
    ),
    ("instant", "unmaintained (RUSTSEC-2024-0384)"),
    ("native-tls", "TLS is rustls with ring"),
    ("openssl-sys", "TLS is rustls with ring"),
    ("rsa", "open advisory RUSTSEC-2023-0071"),
];

const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

fn is_of(family: &str, name: &str) -> bool {
    name == family
        || name
            .strip_prefix(family)
            .is_some_and(|rest| rest.starts_with('-'))
}

pub(super) fn arrows(graph: &Graph) -> Vec<String> {
    let mut complaints = Vec::new();
    for (package, needs) in &graph.ours {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == package) else {
            complaints.push(format!(
                "{package} is new: give it its place among the arrows"
            ));
            continue;
        };
        for need in needs {
            if graph.ours.contains_key(need) && !allowed.contains(&need.as_str()) {
                complaints.push(format!("{package} must not depend on {need}"));
            }
        }
    }
    for (package, _) in ARROWS {
        if !graph.ours.contains_key(*package) {
            complaints.push(format!("{package} has arrows but is not in the workspace"));
        }
    }
    complaints
}

pub(super) fn homes(graph: &Graph) -> Vec<String> {
    let mut complaints = Vec::new();
    for (family, home) in HOMES {
        for (package, needs) in &graph.ours {
            for need in needs {
                if is_of(family, need) && package != home {
                    complaints.push(format!("{package} names {need}, whose home is {home}"));
                }
            }
        }
        let in_build = graph.all.keys().any(|name| name == family);
        let at_home = graph
            .ours
            .get(*home)
            .is_some_and(|needs| needs.iter().any(|need| is_of(family, need)));
        if in_build && !at_home {
            complaints.push(format!(
                "{family} is in the build, but {home} does not name it"
            ));
        }
    }
    complaints
}

pub(super) fn core_is_pure(graph: &Graph) -> Vec<String> {
    let reached = graph.reach("mirror-core");
    if reached.is_empty() {
        return vec!["mirror-core is not in the graph".to_owned()];
    }
    IMPURE
        .iter()
        .flat_map(|family| reached.iter().filter(move |name| is_of(family, name)))
        .map(|name| format!("mirror-core reaches {name}"))
        .collect()
}

pub(super) fn unwanted(graph: &Graph) -> Vec<String> {
    UNWANTED
        .iter()
        .filter(|(name, _)| graph.all.contains_key(*name))
        .map(|(name, why)| format!("{name} is in the build: {why}"))
        .collect()
}

pub(super) fn licences(graph: &Graph) -> Vec<String> {
    graph
        .licences
        .iter()
        .filter(|(_, licence)| !is_allowed(licence))
        .map(|(name, licence)| format!("{name} is licensed as `{licence}`"))
        .collect()
}

/// Every part joined by AND needs one allowed choice. `/` is how older crates wrote OR.
fn is_allowed(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|choice| LICENCES.contains(&choice.trim()))
    })
}

pub(super) fn manifest(package: &str, text: &str) -> Vec<String> {
    let squeezed: String = text.split_whitespace().collect();
    [
        ("[lints]workspace=true", "the lints"),
        ("rust-version.workspace=true", "the Rust version"),
        ("edition.workspace=true", "the edition"),
    ]
    .iter()
    .filter(|(line, _)| !squeezed.contains(line))
    .map(|(_, what)| format!("{package} does not take {what} of the workspace"))
    .collect()
}

mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn edges(edges: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        edges
            .iter()
            .map(|(from, to)| {
                let to = to.iter().map(ToString::to_string).collect();
                ((*from).to_owned(), to)
            })
            .collect()
    }

    /// The workspace as allowed, with `extra` edges of ours.
    fn workspace(extra: &[(&str, &str)]) -> Graph {
        let mut ours = edges(ARROWS);
        for (family, home) in HOMES {
            ours.get_mut(*home).unwrap().insert((*family).to_owned());
        }
        for (from, to) in extra {
            ours.entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned());
        }
        let all = ours.clone();
        Graph {
            ours,
            all,
            licences: BTreeMap::new(),
        }
    }

    #[test]
    fn the_workspace_as_drawn_is_accepted() {
        let graph = workspace(&[]);
        assert_eq!(arrows(&graph), [""; 0]);
        assert_eq!(homes(&graph), [""; 0]);
    }

    #[test]
    fn an_arrow_against_the_stream_is_named() {
        let graph = workspace(&[("mirror-scheduler", "mirror-gitlab")]);
        assert_eq!(
            arrows(&graph),
            ["mirror-scheduler must not depend on mirror-gitlab"]
        );
    }

    #[test]
    fn the_simulator_is_nobodys_but_the_binarys() {
        let graph = workspace(&[
            ("mirror-worker", "gitlab-sim"),
            ("gitlab-sim", "mirror-core"),
        ]);
        assert_eq!(
            arrows(&graph),
            [
                "gitlab-sim must not depend on mirror-core",
                "mirror-worker must not depend on gitlab-sim"
            ]
        );
    }

    #[test]
    fn a_new_package_has_to_take_its_place() {
        let graph = workspace(&[("mirror-teapot", "mirror-store")]);
        assert_eq!(
            arrows(&graph),
            ["mirror-teapot is new: give it its place among the arrows"]
        );
    }

    #[test]
    fn a_second_user_of_the_database_is_named_whatever_part_it_takes() {
        let graph = workspace(&[
            ("mirror-worker", "sqlx-core"),
            ("mirror-core", "reqwestish"),
        ]);
        assert_eq!(
            homes(&graph),
            ["mirror-worker names sqlx-core, whose home is mirror-store"]
        );
    }

    #[test]
    fn a_home_that_lost_its_crate_is_named() {
        let mut graph = workspace(&[]);
        graph.all.insert("backon".to_owned(), BTreeSet::new());
        graph
            .ours
            .get_mut("mirror-gitlab")
            .unwrap()
            .remove("backon");
        assert_eq!(
            homes(&graph),
            ["backon is in the build, but mirror-gitlab does not name it"]
        );
    }

    #[test]
    fn impurity_is_found_behind_other_crates() {
        let graph = Graph {
            all: edges(&[
                ("mirror-core", &["a"]),
                ("a", &["b", "a"]),
                ("b", &["tokio"]),
            ]),
            ..Graph::default()
        };
        assert_eq!(core_is_pure(&graph), ["mirror-core reaches tokio"]);
        assert_eq!(core_is_pure(&Graph::default()).len(), 1);
    }

    #[test]
    fn an_unwanted_crate_is_named_with_its_reason() {
        let graph = Graph {
            all: edges(&[("backoff", &[])]),
            ..Graph::default()
        };
        assert_eq!(
            unwanted(&graph),
            ["backoff is in the build: unmaintained (RUSTSEC-2025-0012): backon is used"]
        );
    }

    #[test]
    fn licences_are_read_as_choices_and_as_sums() {
        assert!(is_allowed("MIT/GPL-3.0"));
        assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
        assert!(!is_allowed("(MIT OR Apache-2.0) AND GPL-3.0"));
        assert!(!is_allowed(""));
    }

    #[test]
    fn a_manifest_of_its_own_mind_is_named() {
        let lone = "[package]\nname = \"x\"\nedition = \"2024\"\nrust-version.workspace = true\n";
        assert_eq!(
            manifest("x", lone),
            [
                "x does not take the lints of the workspace",
                "x does not take the edition of the workspace"
            ]
        );
    }
}
