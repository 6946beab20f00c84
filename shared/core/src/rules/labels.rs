//! Which of the source's labels cross, and under what name.

use super::{LabelDocument, RuleError};
use crate::labels::{MAX_TITLE, cut};
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};

/// More patterns than this are a mistake, and would be paid for with every label.
const MAX_PATTERNS: usize = 100;
/// Characters of a pattern.
const MAX_PATTERN: usize = 1_000;
/// Bytes that a compiled pattern may take.
const MAX_COMPILED: usize = 1 << 20;
/// Characters that prefix and suffix may have together, so that something of the title is left.
const MAX_AFFIXES: usize = 100;

/// Which of the source's labels cross, and under what name. The default takes all as they are.
#[derive(Clone, Debug, Default)]
pub struct LabelRules {
    map: BTreeMap<String, String>,
    skip: BTreeSet<String>,
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    prefix: String,
    suffix: String,
    only_existing: bool,
    no_planning: bool,
}

impl LabelRules {
    pub(super) fn new(document: &LabelDocument) -> Result<Self, RuleError> {
        let LabelDocument {
            create,
            planning,
            prefix,
            suffix,
            skip,
            include,
            exclude,
            map,
        } = document;
        for (from, to) in map {
            mapping(from, to, skip)?;
        }
        affix("labels.prefix", prefix)?;
        affix("labels.suffix", suffix)?;
        if prefix.starts_with(char::is_whitespace) || suffix.ends_with(char::is_whitespace) {
            return Err(RuleError::new(
                "labels.prefix or labels.suffix",
                "puts a space at an end of the label, which GitLab takes off",
                "leave that space out",
            ));
        }
        if prefix.chars().count() + suffix.chars().count() > MAX_AFFIXES {
            return Err(RuleError::new(
                "labels.prefix or labels.suffix",
                format!("is too long: together they have more than {MAX_AFFIXES} characters"),
                "shorten them",
            ));
        }
        Ok(Self {
            map: map.clone(),
            skip: skip.clone(),
            include: patterns("labels.include", include)?,
            exclude: patterns("labels.exclude", exclude)?,
            prefix: prefix.clone(),
            suffix: suffix.clone(),
            only_existing: !create,
            no_planning: !planning,
        })
    }

    /// The label's name on the target; `None`: it does not cross.
    pub fn target_title(&self, title: &str) -> Option<String> {
        if let Some(mapped) = self.map.get(title) {
            return Some(mapped.clone());
        }
        let finds = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(title));
        let wanted = self.include.is_empty() || finds(&self.include);
        if self.skip.contains(title) || !wanted || finds(&self.exclude) {
            return None;
        }
        Some(self.named(title))
    }

    /// Whether labels that the target lacks are created there.
    pub fn creates(&self) -> bool {
        !self.only_existing
    }

    /// Whether labels tell what the target has no field for.
    pub fn tells_planning(&self) -> bool {
        !self.no_planning
    }

    fn named(&self, title: &str) -> String {
        let (prefix, suffix) = (&self.prefix, &self.suffix);
        let affixes = prefix.chars().count() + suffix.chars().count();
        let title = cut(title, title, MAX_TITLE.saturating_sub(affixes));
        format!("{prefix}{title}{suffix}")
    }
}

fn mapping(from: &str, to: &str, skip: &BTreeSet<String>) -> Result<(), RuleError> {
    let rule = format!("labels.map \"{from}\" = \"{to}\"");
    if skip.contains(from) {
        return Err(RuleError::new(
            rule,
            "maps a label that labels.skip leaves out",
            "take it out of one of the two",
        ));
    }
    let wrong = if to.is_empty() {
        Some(("gives no name", "name a label, or put it into labels.skip"))
    } else if to.trim() != to {
        Some((
            "gives a name with a space at its end, which GitLab takes off",
            "leave that space out",
        ))
    } else if to.contains(',') {
        Some((
            "gives a name with a comma, which GitLab refuses in labels",
            "leave the comma out",
        ))
    } else if to.contains(char::is_control) {
        Some((
            "gives a name with a character that is not shown",
            "leave that character out",
        ))
    } else if to.chars().count() > MAX_TITLE {
        Some((
            "gives a name that is longer than GitLab's 255 characters",
            "shorten it",
        ))
    } else {
        None
    };
    wrong.map_or(Ok(()), |(why, mend)| Err(RuleError::new(rule, why, mend)))
}

fn affix(rule: &str, text: &str) -> Result<(), RuleError> {
    let rule = format!("{rule} \"{text}\"");
    if text.contains(',') || text.contains(char::is_control) {
        return Err(RuleError::new(
            rule,
            "has a comma or a character that is not shown, which GitLab refuses in labels",
            "leave it out",
        ));
    }
    if text.contains("::") {
        // One label of a scope drives the others out where that is licensed, the target's people's
        // own among them.
        return Err(RuleError::new(
            rule,
            "has `::`, which makes every label one of a scope, and of a scope an issue carries one \
             label only",
            "write one colon, or a slash",
        ));
    }
    Ok(())
}

fn patterns(rule: &str, given: &[String]) -> Result<Vec<Regex>, RuleError> {
    if given.len() > MAX_PATTERNS {
        return Err(RuleError::new(
            rule,
            format!("has more than {MAX_PATTERNS} patterns"),
            "join them with `|`",
        ));
    }
    given.iter().map(|text| pattern(rule, text)).collect()
}

fn pattern(rule: &str, text: &str) -> Result<Regex, RuleError> {
    if text.chars().count() > MAX_PATTERN {
        return Err(RuleError::new(
            rule,
            format!("has a pattern of more than {MAX_PATTERN} characters"),
            "name the labels in labels.map or labels.skip",
        ));
    }
    let rule = format!("{rule} \"{text}\"");
    if text.is_empty() {
        return Err(RuleError::new(
            rule,
            "is an empty pattern, which finds every label",
            "take it out",
        ));
    }
    RegexBuilder::new(text)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| {
            if matches!(error, regex::Error::CompiledTooBig(_)) {
                return RuleError::new(
                    &rule,
                    "is a pattern that takes too much memory",
                    "take out repetitions such as `{1000}`",
                );
            }
            RuleError::new(
                &rule,
                format!(
                    "is no regular expression: {}",
                    last_line(&error.to_string())
                ),
                "correct it; a backslash before a sign such as `(` means that sign itself",
            )
        })
}

/// The explanation that stands after the drawing of where it is.
fn last_line(text: &str) -> String {
    let line = text.lines().next_back().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
