//! Edits on the target that are protected, and what a person decides about them.

use super::{
    stage::{Stage, ended},
    world,
};
use gitlab_sim::{IssueEdit, IssueSpec, UserSpec};

impl Stage {
    fn retitle(&self, there: bool, title: &str) {
        let end = if there { &self.target } else { &self.source };
        let by = end.sim.add_user(UserSpec::new("tom", "Tom"));
        let edit = IssueEdit {
            title: Some(title.to_owned()),
            ..IssueEdit::default()
        };
        end.sim
            .edit(|world| world.edit_issue(end.project, 1, by, edit))
            .unwrap();
    }

    fn title_there(&self) -> String {
        let (sim, project) = (&self.target.sim, self.target.project);
        sim.world(|world| world.issue(project, 1).unwrap().title.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_sides_changed_is_shown_side_by_side_and_decided() {
    let stage = Stage::new().await;
    let spec = IssueSpec {
        author: world::author(&stage.source),
        title: "Ours".to_owned(),
        ..IssueSpec::default()
    };
    let (sim, project) = (&stage.source.sim, stage.source.project);
    sim.edit(|world| world.create_issue(project, spec)).unwrap();
    let first = stage.run("sync", &["--on-edit", "protect"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    stage.retitle(true, "Theirs");
    let kept = stage.run("sync", &["--json"]).await;
    assert_eq!(
        kept.code,
        Some(0),
        "an edit that is kept is in line: {kept:?}"
    );
    stage.retitle(false, "Ours, edited");
    let plan = stage.run("plan", &["--json"]).await;
    assert_eq!(plan.json()["requests"], 0, "{plan:?}");
    let both = stage.run("sync", &[]).await;
    assert_eq!(both.code, Some(1), "{both:?}");
    assert!(both.out.contains("target_modified: "), "{both:?}");
    assert_eq!(stage.title_there(), "Theirs");

    let list = ended(stage.bare(&["issues", "list", "1", "--json"])).await;
    let list = list.json();
    let row = &list[0];
    for (name, value) in [
        ("status", "target_modified"),
        ("field", "title"),
        ("source", "Ours, edited"),
        ("target", "Theirs"),
    ] {
        assert_eq!(row[name], value, "{list}");
    }
    let mirrors = ended(stage.bare(&["mirrors", "list", "--json"])).await;
    let mirrors = mirrors.json();
    assert_eq!(mirrors[0]["on_edit"], "protect");
    assert_eq!(mirrors[0]["target_modified"], 1);

    let none = ended(stage.bare(&["issues", "resolve", "1", "9", "--use-source"])).await;
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("issues list 1"), "{none:?}");
    let asked = ended(stage.bare(&["issues", "resolve", "1", "1", "--use-source"])).await;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    let decided = stage.run("sync", &[]).await;
    assert_eq!(decided.code, Some(0), "{decided:?}");
    assert_eq!(stage.title_there(), "Ours, edited");
    let list = ended(stage.bare(&["issues", "list", "1"])).await;
    assert!(list.out.contains("nothing that was edited"), "{list:?}");
}
