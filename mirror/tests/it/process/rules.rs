//! Rules, given as a person gives them.

use super::{stage::Stage, world};
use gitlab_sim::{AccessLevel, Issue, IssueEdit, IssueSpec, UserSpec};
use std::path::PathBuf;

/// Two issues: one with the label `shared`, one without.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    let source = &stage.source;
    let author = world::author(source);
    for (title, labels) in [("Shared", vec!["shared".to_owned()]), ("Ours", Vec::new())] {
        let spec = IssueSpec {
            author,
            title: title.to_owned(),
            labels,
            ..IssueSpec::default()
        };
        let write = |sim: &mut gitlab_sim::World| sim.create_issue(source.project, spec.clone());
        source.sim.edit(write).unwrap();
    }
    stage
}

impl Stage {
    fn file(&self, text: &str) -> PathBuf {
        let path = self.state().join("rules.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Titles of the target's issues, each with its labels.
    fn there(&self) -> Vec<(String, Vec<String>)> {
        let target = &self.target;
        target.sim.world(|world| {
            let told = |issue: &Issue| (issue.title.clone(), world.label_titles(issue));
            world.issues(target.project).map(told).collect()
        })
    }
}

const RULES: &str = "\
[labels]
prefix = \"shop/\"

[only]
any_label = [\"shared\"]
";

fn titled(title: &str, labels: &[&str]) -> (String, Vec<String>) {
    let labels = labels.iter().map(|label| (*label).to_owned());
    (title.to_owned(), labels.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_until_others_are_given_and_a_plan_keeps_none() {
    let stage = stage().await;
    let file = stage.file(RULES);
    let given = ["--rules", file.to_str().unwrap()];
    let plan = stage.run("plan", &given).await;
    assert!(
        plan.out.contains("issue Shared [shop/shared, MIRRORED]"),
        "{plan:?}"
    );
    assert!(
        plan.out
            .contains("1 to create, 0 to update, 1 in line or left out"),
        "{plan:?}"
    );
    let plan = stage.run("plan", &[]).await;
    assert!(plan.out.contains("2 to create"), "{plan:?}");

    let ruled = [titled("Shared", &["MIRRORED", "shop/shared"])];
    let synced = stage.sync(&given).await;
    assert_eq!(synced.code, Some(0), "{synced:?}");
    let told = "skipped: outside what the mirror takes: its labels (#2)";
    assert!(synced.out.contains(told), "{synced:?}");
    assert_eq!(stage.there(), ruled);
    // Whoever forgets the option mirrors nothing that the rules leave out.
    assert_eq!(stage.sync(&["--full"]).await.code, Some(0));
    assert_eq!(stage.there(), ruled);
    assert_eq!(stage.sync(&["--no-rules"]).await.code, Some(0));
    let all = [
        titled("Shared", &["MIRRORED", "shared"]),
        titled("Ours", &["MIRRORED"]),
    ];
    assert_eq!(stage.there(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_is_planned_and_who_is_not_known_is_told() {
    let stage = stage().await;
    let (source, target) = (&stage.source, &stage.target);
    let author = world::author(source);
    let name = source
        .sim
        .world(|world| world.user(author).unwrap().username.clone());
    let zoe = source.sim.add_user(UserSpec::new("zoe", "Zoe"));
    let anna = target.sim.add_user(UserSpec::new("anna", "Anna"));
    target.sim.edit(|world| {
        let home = world.project_mut(target.project).unwrap();
        home.members.insert(anna, AccessLevel::Guest);
    });
    for (iid, assignee) in [(1, author), (2, zoe)] {
        let edit = IssueEdit {
            assignees: Some(vec![assignee]),
            ..IssueEdit::default()
        };
        let assign = |world: &mut gitlab_sim::World| {
            world.edit_issue(source.project, iid, author, edit.clone())
        };
        source.sim.edit(assign).unwrap();
    }
    let file = stage.file(&format!(
        "[users.map]\n\"{name}\" = \"Anna\"\nzoe = \"zo\"\n"
    ));
    let given = ["--rules", file.to_str().unwrap()];
    let plan = stage.run("plan", &given).await;
    let shown = "issue Shared [shared, MIRRORED] for anna";
    assert!(plan.out.contains(shown), "{plan:?}");
    let synced = stage.sync(&given).await;
    assert_eq!(synced.code, Some(0), "{synced:?}");
    let told =
        "the target has no user zo, whom the rules give for zoe (users.map); correct the name";
    assert!(synced.out.contains(told), "{synced:?}");
    let plan = stage.run("plan", &["--no-rules"]).await;
    let shown = format!("change +Assigned::{name}, unassign anna");
    assert!(plan.out.contains(&shown), "{plan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rules_are_refused_before_anything_is_asked() {
    let stage = stage().await;
    for (text, told) in [
        (
            "[labels]\nexclude = [\"(\"]\n",
            "the rule labels.exclude \"(\" is no regular expression",
        ),
        ("[labels]\ncolour = \"red\"\n", "unknown field `colour`"),
        (
            "[only]\ntypes = [\"bug\"]\n",
            "write one of issue, incident",
        ),
        (
            "[users.map]\nanna = \"@anna\"\n",
            "the rule users.map \"anna\" = \"@anna\" names a user with a sign in front",
        ),
        ("labels", "docs/rules.md shows every rule"),
    ] {
        let file = stage.file(text);
        for command in ["sync", "plan"] {
            let ended = stage
                .run(command, &["--rules", file.to_str().unwrap()])
                .await;
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(
                ended.err.contains("rules.toml") && ended.err.contains(told),
                "{ended:?}"
            );
        }
    }
    let ended = stage.sync(&["--rules", "/nowhere/rules.toml"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("name a file of text that may be read"),
        "{ended:?}"
    );
    assert!(stage.source.sim.requests().is_empty());
}
