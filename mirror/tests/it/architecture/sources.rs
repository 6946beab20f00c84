//! What no dependency can tell: the words in the source files.

use std::path::Path;

/// A source file, its name relative to the workspace.
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

/// The checker itself has to write what it looks for.
const CHECKER: &str = "mirror/tests/it/architecture";

pub(super) fn read(root: &Path) -> Vec<File> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                // Cargo marks its build folders, whatever their names.
                let built = path.join("CACHEDIR.TAG").exists();
                if !built && name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(File { name, text });
            }
        }
    }
    files
}

/// Words, the folder that may write them, and what they are called.
const WORDS: &[(&str, &str)] = &[
    ("sqlx::", "shared/store/"),
    ("INSERT INTO ", "shared/store/"),
    ("DELETE FROM ", "shared/store/"),
    ("CREATE TABLE ", "shared/store/"),
    ("SELECT ", "shared/store/"),
    ("BEGIN IMMEDIATE", "shared/store/"),
    ("reqwest::", "shared/gitlab/"),
    ("backon::", "shared/gitlab/"),
    ("apalis::", "shared/queue/"),
    ("apalis_core::", "shared/queue/"),
    ("redis::", "shared/queue/"),
];

fn lines(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let code = file.text.lines().zip(1..);
    code.filter(|(line, _)| !line.trim_start().starts_with("//"))
        .map(|(line, number)| (number, line))
}

pub(super) fn homes(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.name.starts_with(CHECKER)) {
        for (number, line) in lines(file) {
            for (word, home) in WORDS {
                if line.contains(word) && !file.name.starts_with(home) {
                    let name = &file.name;
                    complaints.push(format!(
                        "{name}:{number} writes `{word}`: its home is {home}"
                    ));
                }
            }
        }
    }
    complaints
}

pub(super) fn switched_off(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in lines(file) {
            if line.trim_start().starts_with("#[ignore") {
                complaints.push(format!("{}:{number} switches a test off", file.name));
            }
        }
    }
    complaints
}

pub(super) fn odds_and_ends(files: &[File]) -> Vec<String> {
    const NAMES: [&str; 6] = ["util", "utils", "helper", "helpers", "misc", "common"];
    files
        .iter()
        .filter(|file| {
            file.name
                .trim_end_matches(".rs")
                .split('/')
                .any(|part| NAMES.contains(&part))
        })
        .map(|file| format!("{} is named after nothing it does", file.name))
        .collect()
}

mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn sql_outside_the_store_is_named_with_its_line() {
        let stray = file(
            "worker/src/a.rs",
            "fn f() {}\nconst Q: &str = \"SELECT 1\";\n",
        );
        let at_home = file("shared/store/src/a.rs", "\"SELECT 1\"");
        assert_eq!(
            homes(&[stray, at_home]),
            ["worker/src/a.rs:2 writes `SELECT `: its home is shared/store/"]
        );
    }

    #[test]
    fn http_outside_the_client_is_named_but_talk_about_it_is_not() {
        let stray = file("api/src/a.rs", "// reqwest::get\nuse reqwest::Client;");
        assert_eq!(
            homes(&[stray]),
            ["api/src/a.rs:2 writes `reqwest::`: its home is shared/gitlab/"]
        );
    }

    #[test]
    fn a_test_that_is_switched_off_is_named() {
        let lazy = file(
            "a/tests/it/b.rs",
            "#[test]\n    #[ignore = \"slow\"]\nfn t() {}",
        );
        assert_eq!(
            switched_off(&[lazy]),
            ["a/tests/it/b.rs:2 switches a test off"]
        );
    }

    #[test]
    fn a_box_of_odds_and_ends_is_named() {
        let odd = file("worker/src/utils/time.rs", "");
        let even = file("worker/src/utilization.rs", "");
        assert_eq!(
            odds_and_ends(&[odd, even]),
            ["worker/src/utils/time.rs is named after nothing it does"]
        );
    }
}
