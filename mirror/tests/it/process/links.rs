//! `--links`: links between issues cross where that is asked for.

use super::{
    stage::Stage,
    world::{add_issue, author},
};

#[tokio::test(flavor = "multi_thread")]
async fn links_cross_where_they_are_asked_for() {
    let stage = Stage::new().await;
    let source = &stage.source;
    for title in ["First", "Second"] {
        add_issue(source, title, "Text.");
    }
    let by = author(source);
    let ends = [1, 2].map(|iid| (source.project, iid));
    source
        .sim
        .edit(|world| world.link_issues(by, ends[0], ends[1], true).unwrap());
    let linked = || stage.target.sim.world(|world| world.links().len());
    stage.sync_well(&[]).await;
    assert_eq!(linked(), 0);
    let plan = stage
        .run("plan", &["--include-closed", "--links", "--full"])
        .await;
    let told = "link: blocks the copy of #2";
    assert!(plan.out.contains(told), "{plan:?}");
    assert!(plan.out.contains("; 1 requests"), "{plan:?}");
    stage.sync_well(&["--links", "--full"]).await;
    assert_eq!(linked(), 1);
    let again = stage.sync_well(&["--links", "--full"]).await;
    assert!(again.out.contains("0 updated, 2 unchanged"), "{again:?}");
}
