//! The rules of a mirror, as a person gives them: a TOML file, read and checked at once, kept with
//! the mirror until other ones are given.

use crate::exit::misconfigured;
use anyhow::Context as _;
use clap::Args;
use mirror_core::{
    ids::MirrorId,
    rules::{Document, Rules},
};
use mirror_store::Store;
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file of rules is read whole; none that a person wrote is as long.
const MAX_FILE: u64 = 1024 * 1024;

/// Rules for `sync` and `plan`.
#[derive(Args, Debug)]
pub(crate) struct RulesArguments {
    /// Which labels and issues to mirror and who is who on the target, by the rules in this file
    /// (TOML; docs/rules.md). They are kept with the mirror until other ones are given
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Forget the mirror's rules: everything is mirrored, under its own name
    #[arg(long, conflicts_with = "rules")]
    no_rules: bool,
}

impl RulesArguments {
    /// What is asked for; `None`: the rules that are kept.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Arc<Rules>>> {
        if self.no_rules {
            return Ok(Some(Rules::none().clone()));
        }
        self.rules.as_deref().map(read).transpose()
    }
}

/// Reads a file of rules.
pub(crate) fn read(path: &Path) -> anyhow::Result<Arc<Rules>> {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    let length = read.map_err(|error| {
        misconfigured(format!(
            "the rules in {shown} cannot be read: {error}; name a file of text that may be read"
        ))
    })?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_FILE) {
        return Err(misconfigured(format!(
            "the rules in {shown} are longer than 1 MiB; this seems to be another file"
        )));
    }
    let rules = parse(&text).map_err(|error| misconfigured(format!("{shown}: {error}")))?;
    Ok(Arc::new(rules))
}

fn parse(text: &str) -> Result<Rules, String> {
    let document: Document = toml::from_str(text).map_err(|error| {
        format!(
            "{}; docs/rules.md shows every rule",
            error.to_string().trim()
        )
    })?;
    Rules::new(&document).map_err(|error| error.to_string())
}

/// The rules as a file that [`read`] reads.
pub(crate) fn written(kept: &str) -> anyhow::Result<String> {
    let document = Document::read(kept).map_err(|error| misconfigured(error.to_string()))?;
    toml::to_string_pretty(&document).context("the rules could not be written as TOML")
}

/// The rules that a mirror is to go by: those given, which are kept from now on, else those kept.
pub(crate) async fn keep(
    store: &Store,
    mirror: MirrorId,
    given: Option<Arc<Rules>>,
) -> anyhow::Result<Arc<Rules>> {
    if let Some(rules) = &given {
        // Nobody else works on this record.
        store.set_rules(mirror, rules.text(), store.now()).await?;
    }
    or_kept(store, mirror, given).await
}

/// As [`keep`], but the record stays as it is.
pub(crate) async fn or_kept(
    store: &Store,
    mirror: MirrorId,
    given: Option<Arc<Rules>>,
) -> anyhow::Result<Arc<Rules>> {
    if let Some(rules) = given {
        return Ok(rules);
    }
    let kept = store.rules(mirror).await?;
    let rules = Rules::read(&kept.text).map_err(|error| misconfigured(error.to_string()))?;
    Ok(Arc::new(rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let text = "\
reactions = \"all\"

[labels]
create = false
prefix = \"up/\"
include = [\"^a\"]

[labels.map]
\"Bug: urgent\" = \"defect\"

[only]
any_label = [\"shared\"]
state = \"opened\"
created_since = 2026-01-31
updated_since = \"2026-02-01\"
when_left = \"close\"

[users]
mentions = true

[users.map]
\"anna\" = \"a.smith\"
";
        let rules = parse(text).unwrap();
        let again = parse(&written(rules.text()).unwrap()).unwrap();
        assert_eq!(again.text(), rules.text());
        assert!(rules.text().contains(r#""created_since":"2026-01-31""#));
        assert_eq!(parse("# nothing\n").unwrap().text(), "");
    }

    #[test]
    fn the_example_in_the_documentation_is_sound_and_shows_every_rule() {
        let guide = include_str!("../../docs/rules.md");
        let example = guide.split("```toml\n").nth(1).unwrap();
        let example = example.split("```").next().unwrap();
        parse(example).unwrap();
        for rule in [
            "create",
            "planning",
            "prefix",
            "suffix",
            "skip",
            "include",
            "exclude",
            "map",
            "any_label",
            "all_labels",
            "no_label",
            "types",
            "milestones",
            "state",
            "created_since",
            "updated_since",
            "when_left",
            "users",
            "mentions",
            "reactions",
        ] {
            assert!(example.contains(rule), "{rule}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_is_told_with_its_place() {
        for (text, told) in [
            (
                "[labels]\nskipp = [\"a\"]\n",
                "unknown field `skipp`, expected one of `create`",
            ),
            ("[labels]\nskip = \"a\"\n", "line 2"),
            ("[only]\ncreated_since = \"soon\"\n", "\"soon\" is no day"),
            (
                "[only]\nstate = \"open\"\n",
                "expected `opened` or `closed`",
            ),
            (
                "[labels]\nexclude = [\"(\"]\n",
                "the rule labels.exclude \"(\"",
            ),
            ("labels\n", "line 1"),
            (
                "reactions = \"some\"\n",
                "expected one of `none`, `votes`, `all`",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(told), "{error}\nlacks {told}");
        }
    }
}
