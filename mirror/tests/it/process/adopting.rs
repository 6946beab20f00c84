//! `--adopt`: pairs from a file, all or none.

use super::{
    oracle,
    stage::{Stage, ended},
    world,
};
use gitlab_sim::{IssueSpec, UserSpec};
use std::{fs, path::PathBuf};

impl Stage {
    fn csv(&self, text: &str) -> PathBuf {
        let path = self.state().join("pairs.csv");
        fs::write(&path, text).unwrap();
        path
    }

    /// An issue by somebody of the target.
    fn on_target(&self, title: &str) -> u64 {
        let author = self.target.sim.add_user(UserSpec::new("tom", "Tom"));
        let spec = IssueSpec {
            author,
            title: title.to_owned(),
            ..IssueSpec::default()
        };
        let sim = &self.target.sim;
        sim.edit(|world| world.create_issue(self.target.project, spec))
            .unwrap()
    }

    fn title_on_target(&self, iid: u64) -> String {
        let project = self.target.project;
        let sim = &self.target.sim;
        sim.world(|world| world.issue(project, iid).unwrap().title.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_told_line_by_line_before_anything_is_asked() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 2);
    let path = stage.csv("source_iid,target_iid\n1,10\n2;20\n1,x\n");
    let path = path.to_str().unwrap();
    for command in ["sync", "plan"] {
        let refused = stage.run(command, &["--adopt", path]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        for part in [
            "pairs.csv",
            "line 3",
            "line 4",
            "`x`",
            "nothing was changed",
        ] {
            assert!(refused.err.contains(part), "{part}: {refused:?}");
        }
    }
    let missing = stage.run("sync", &["--adopt", "/nowhere/pairs.csv"]).await;
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.err.contains("source_iid,target_iid"), "{missing:?}");
    assert_eq!(stage.source.sim.requests().len(), 0);
    assert_eq!(stage.target.sim.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_is_planned_first_and_counted_as_it_is_sent() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 3);
    let there = stage.on_target("Before");
    let path = stage.csv(&format!("source_iid,target_iid\n2,{there}\n"));
    let path = path.to_str().unwrap();
    let plan = stage
        .run("plan", &["--include-closed", "--json", "--adopt", path])
        .await;
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert_eq!(stage.writes(), 0);
    let plan = plan.json();
    let second = plan["issues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["issue"] == 2)
        .unwrap();
    assert_eq!(second["create"], false, "{second}");
    for end in [&stage.source, &stage.target] {
        end.sim.clear_requests();
    }
    stage.sync_well(&["--adopt", path]).await;
    let downloads = stage.source.sim.requests();
    let downloads = downloads
        .iter()
        .filter(|one| one.path.contains("/uploads/"))
        .count();
    let sent = (stage.writes() + downloads) as u64;
    assert_eq!(plan["requests"].as_u64(), Some(sent));
    assert_eq!(stage.title_on_target(there), "Issue 2");
    oracle::mirrored(&stage);

    let again = stage.sync_well(&["--adopt", path]).await;
    assert!(again.err.is_empty(), "{again:?}");
    let other = stage.on_target("Another");
    let path = stage.csv(&format!("source_iid,target_iid\n2,{other}\n"));
    let refused = stage
        .run("sync", &["--adopt", path.to_str().unwrap()])
        .await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let words = format!("#2 is mirrored by #{there} already");
    assert!(refused.err.contains(&words), "{refused:?}");
    assert_eq!(stage.title_on_target(other), "Another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_of_the_service_is_asked_by_its_number() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 1);
    stage.sync_well(&[]).await;
    let there = stage.on_target("Before");
    let path = stage.csv(&format!("source_iid,target_iid\n7,{there}\n"));
    let path = path.to_str().unwrap();
    let asked = ended(stage.bare(&["mirrors", "adopt", "1", path])).await;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(asked.out.contains("1 issue is adopted"), "{asked:?}");
    let failed = stage.sync(&[]).await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let why = "the source token does not see #7";
    assert!(
        failed.out.contains(why) || failed.err.contains(why),
        "{failed:?}"
    );
    let dropped = ended(stage.bare(&["mirrors", "adopt", "1", "--drop", "7"])).await;
    assert_eq!(dropped.code, Some(0), "{dropped:?}");
    stage.sync_well(&[]).await;
    let unknown = ended(stage.bare(&["mirrors", "adopt", "9", path])).await;
    assert_ne!(unknown.code, Some(0));
    assert!(unknown.err.contains("there is no mirror 9"), "{unknown:?}");
}
