//! A decision that no test holds is a wish.

use super::sources::File;
use std::{collections::HashSet, path::Path};

const PARTS: [&str; 4] = [
    "\n## Context\n",
    "\n## Decision\n",
    "\n## Consequence\n",
    "\n## Held by\n",
];

/// The decisions, in their order.
pub(super) fn read(root: &Path) -> Vec<File> {
    let folder = root.join("docs/decisions");
    let mut papers: Vec<File> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("README.md"))
        .map(|path| File {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect();
    papers.sort_by(|a, b| a.name.cmp(&b.name));
    papers
}

pub(super) fn held(papers: &[File], sources: &[File]) -> Vec<String> {
    let written: HashSet<&str> = sources.iter().flat_map(|file| words(&file.text)).collect();
    let mut complaints = Vec::new();
    for (paper, number) in papers.iter().zip(1..) {
        let name = &paper.name;
        if !name.starts_with(&format!("{number:04}-")) {
            complaints.push(format!("{name} should be number {number:04}"));
        }
        for part in PARTS {
            if !paper.text.contains(part) {
                complaints.push(format!("{name} lacks {}", part.trim()));
            }
        }
        let tests = tests(&paper.text);
        if tests.is_empty() {
            complaints.push(format!("{name} names no test"));
        }
        for test in tests {
            if !written.contains(test) {
                complaints.push(format!("{name} names {test}, which is nowhere"));
            }
        }
    }
    complaints
}

/// Of a page of rules, numbered from 1, each followed by its tests.
pub(super) fn rules_held(page: &str, rules: usize, sources: &[File]) -> Vec<String> {
    let written: HashSet<&str> = sources.iter().flat_map(|file| words(&file.text)).collect();
    let mut complaints = Vec::new();
    for number in 1..=rules {
        let head = |number| format!("\n{number}. **");
        let (_, rule) = page.split_once(&head(number)).unwrap_or_default();
        let tests = listed(rule.split(&head(number + 1)).next().unwrap_or_default());
        if tests.is_empty() {
            complaints.push(format!("rule {number} names no test"));
        }
        for test in tests {
            if !written.contains(test) {
                complaints.push(format!("rule {number} names {test}, which is nowhere"));
            }
        }
    }
    complaints
}

/// The tests are the list that ends a decision.
fn tests(text: &str) -> Vec<&str> {
    listed(
        text.rsplit_once(PARTS[3])
            .map(|(_, list)| list)
            .unwrap_or_default(),
    )
}

fn listed(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("- `")?.strip_suffix('`'))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_')
}

mod tests {
    use super::*;

    fn paper(name: &str, list: &str) -> File {
        let text =
            format!("# T\n\n## Context\n\n## Decision\n\n## Consequence\n\n## Held by\n\n{list}");
        File {
            name: name.to_owned(),
            text,
        }
    }

    fn source() -> File {
        File {
            name: "a/src/b.rs".to_owned(),
            text: "#[test]\nfn nothing_is_lost_twice() {}".to_owned(),
        }
    }

    #[test]
    fn a_decision_held_by_a_test_is_accepted() {
        let held_by = paper("0001-a.md", "- `nothing_is_lost_twice`\n");
        assert_eq!(held(&[held_by], &[source()]), [""; 0]);
    }

    #[test]
    fn a_test_that_went_away_is_named() {
        let held_by = paper("0001-a.md", "- `nothing_is_lost`\n");
        assert_eq!(
            held(&[held_by], &[source()]),
            ["0001-a.md names nothing_is_lost, which is nowhere"]
        );
    }

    #[test]
    fn a_rule_that_nothing_holds_is_named() {
        let page = "\n1. **A.** Is.\n   - `nothing_is_lost_twice`\n2. **B.** Is.\n3. **C.**\n   - `gone`\n";
        assert_eq!(
            rules_held(page, 3, &[source()]),
            [
                "rule 2 names no test",
                "rule 3 names gone, which is nowhere"
            ]
        );
    }

    #[test]
    fn a_decision_out_of_order_that_nothing_holds_is_named() {
        let loose = paper("0002-a.md", "");
        assert_eq!(
            held(&[loose], &[source()]),
            ["0002-a.md should be number 0001", "0002-a.md names no test"]
        );
    }
}
