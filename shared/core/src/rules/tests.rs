//! Rules, as a person writes them.

use super::*;
use crate::labels::MAX_TITLE;
use proptest::prelude::*;

fn labels(document: LabelDocument) -> LabelRules {
    LabelRules::new(&document).unwrap()
}

fn refused(document: &str) -> String {
    let document: Document = serde_json::from_str(document).unwrap();
    Rules::new(&document).unwrap_err().to_string()
}

#[test]
fn what_is_mapped_crosses_under_its_new_name_whatever_else_holds() {
    let rules = labels(LabelDocument {
        map: [("Bug".into(), "defect".into())].into(),
        skip: ["wontfix".into()].into(),
        include: vec!["^team::".into(), "wontfix".into()],
        exclude: vec!["secret".into()],
        prefix: "up/".into(),
        suffix: " (u)".into(),
        ..LabelDocument::default()
    });
    let title = |title: &str| rules.target_title(title);
    assert_eq!(title("Bug").as_deref(), Some("defect"));
    assert_eq!(title("bug"), None);
    assert_eq!(title("wontfix"), None);
    assert_eq!(title("team::a").as_deref(), Some("up/team::a (u)"));
    assert_eq!(title("team::secret"), None);
}

#[test]
fn a_bad_rule_is_named_with_what_is_wrong_and_the_mend() {
    for (document, told) in [
        (
            r#"{"labels":{"include":["ok","(a"]}}"#,
            r#"the rule labels.include "(a" is no regular expression: unclosed group; correct it"#,
        ),
        (
            r#"{"labels":{"exclude":["(a{1000}){1000}"]}}"#,
            r#"the rule labels.exclude "(a{1000}){1000}" is a pattern that takes too much memory"#,
        ),
        (
            r#"{"labels":{"exclude":[""]}}"#,
            r#"the rule labels.exclude "" is an empty pattern, which finds every label; take it out"#,
        ),
        (
            r#"{"labels":{"map":{"a":"b,c"}}}"#,
            r#"the rule labels.map "a" = "b,c" gives a name with a comma"#,
        ),
        (
            r#"{"labels":{"map":{"a":""}}}"#,
            r#"the rule labels.map "a" = "" gives no name; name a label, or put it into labels.skip"#,
        ),
        (
            r#"{"labels":{"map":{"a":"b"},"skip":["a"]}}"#,
            "maps a label that labels.skip leaves out; take it out of one of the two",
        ),
        (
            r#"{"labels":{"prefix":"up::"}}"#,
            r#"the rule labels.prefix "up::" has `::`"#,
        ),
        (
            r#"{"labels":{"suffix":" up "}}"#,
            "puts a space at an end of the label",
        ),
        (
            r#"{"only":{"types":["isue"]}}"#,
            r#"the rule only.types "isue" names no type of issue; write one of issue, incident"#,
        ),
        (
            r#"{"only":{"any_label":["a"],"no_label":["a"]}}"#,
            r#"the rule only.no_label "a" shuts out a label"#,
        ),
        (
            r#"{"only":{"milestones":[" "]}}"#,
            "the rule only.milestones has an empty name; take it out",
        ),
        (
            r#"{"users":{"mentions":true}}"#,
            "the rule users.mentions lets people be mentioned whom users.map names, and it names \
             nobody; name them, or take it out",
        ),
        (
            r#"{"users":{"map":{"anna":"@anna"}}}"#,
            r#"the rule users.map "anna" = "@anna" names a user with a sign in front; leave the @ out"#,
        ),
        (
            r#"{"users":{"map":{"anna":"team/dev"}}}"#,
            "names a group or a page, and not a user; write the username alone",
        ),
        (
            r#"{"users":{"map":{"anna":"ALL"}}}"#,
            "names everybody; name one user",
        ),
        (
            r#"{"users":{"map":{"Anna Smith":"anna"}}}"#,
            "gives a name that no user of GitLab can have; write the username that stands behind",
        ),
        (
            r#"{"users":{"map":{"anna":""}}}"#,
            "gives no name; name a user, or take the entry out",
        ),
        (
            r#"{"users":{"map":{"Anna":"a","anna":"b"}}}"#,
            r#"the rule users.map "anna" = "b" names somebody whom another entry names"#,
        ),
    ] {
        let error = refused(document);
        assert!(error.contains(told), "{error}\nlacks {told}");
    }
    let many = serde_json::json!({"labels": {"include": vec!["a"; 101]}});
    assert!(refused(&many.to_string()).contains("more than 100 patterns"));
    let long = serde_json::json!({"labels": {"include": ["a".repeat(1_001)]}});
    assert!(refused(&long.to_string()).contains("more than 1000 characters"));
}

#[test]
fn rules_are_kept_as_they_were_written() {
    let written = r#"{"reactions":"votes","labels":{"create":false,"skip":["a"],"map":{"b":"c"}},"only":{"types":["task"],"state":"closed","created_since":"2026-01-31","when_left":"close"},"users":{"mentions":true,"map":{"anna":"a.smith"}}}"#;
    let rules = Rules::read(written).unwrap();
    assert_eq!(rules.text(), written);
    assert_eq!(Rules::read(rules.text()).unwrap().digest(), rules.digest());
    assert_ne!(rules.digest(), Rules::default().digest());
    let none = Rules::new(&Document::default()).unwrap();
    assert_eq!((none.text(), none.digest().as_str()), ("", ""));
    assert!(Rules::read(r#"{"labels":{"colour":"red"}}"#).is_err());
}

#[test]
fn people_are_known_whatever_the_capitals_of_their_names() {
    let rules = Rules::read(r#"{"users":{"map":{"Anna":"A.Smith","ben":"a.smith"}}}"#).unwrap();
    assert_eq!(rules.users.target("ANNA"), Some("A.Smith"));
    assert_eq!(rules.users.target("ben"), Some("a.smith"));
    assert_eq!(rules.users.target("carl"), None);
    assert!(!rules.users.mentions());
    assert!(Rules::none().users.is_empty());
}

proptest! {
    /// Whatever a source label is called, its name on the target is one that GitLab takes.
    #[test]
    fn every_name_fits(title in "[^,\\pC]{1,255}", prefix in "[a-z/]{0,50}", suffix in "[a-z)]{0,50}") {
        let title = title.trim();
        prop_assume!(!title.is_empty());
        let rules = labels(LabelDocument { prefix, suffix, ..LabelDocument::default() });
        let name = rules.target_title(title).unwrap();
        prop_assert!(name.chars().count() <= MAX_TITLE);
        prop_assert!(!name.contains(','));
        prop_assert_eq!(name.trim(), name.as_str());
    }

    /// Two labels stay two.
    #[test]
    fn prefix_and_suffix_keep_labels_apart(one in "[a-z]{200,255}", two in "[a-z]{200,255}") {
        prop_assume!(one != two);
        let rules = labels(LabelDocument { prefix: "mirror/".into(), ..LabelDocument::default() });
        prop_assert_ne!(rules.target_title(&one), rules.target_title(&two));
    }

    /// No text a person may write is a danger: it is refused or followed.
    #[test]
    fn no_pattern_is_a_danger(pattern in "\\PC{0,40}", title in "\\PC{0,60}") {
        let document = LabelDocument { include: vec![pattern], ..LabelDocument::default() };
        if let Ok(rules) = LabelRules::new(&document) {
            let _ = rules.target_title(&title);
        }
    }
}
