//! Files above the size that was asked for stay links.

use super::{
    stage::{Stage, source_sim, target_sim},
    world,
};
use gitlab_sim::{Content, IssueSpec, Visibility};

const SIZE: u64 = 8 << 20;

/// A source issue that links one file of [`SIZE`] bytes.
async fn with_a_large_file(announced: bool) -> Stage {
    let stage = Stage::between(source_sim().announce_length(announced), target_sim()).await;
    let source = &stage.source;
    let author = world::author(source);
    let content = Content::Generated {
        seed: 7,
        size: SIZE,
    };
    let upload = source
        .sim
        .add_upload(source.project, author, "large.bin", content)
        .unwrap();
    let text = format!("Text with [large.bin]({}).", upload.path());
    world::add_issue(source, "Large", &text);
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_announced_as_too_large_is_not_even_begun() {
    let stage = with_a_large_file(true).await;
    let told = stage
        .sync_well(&["--max-attachment-size", "1MiB", "--json"])
        .await;
    let begun = stage.target.writes();
    assert!(begun.iter().all(|one| !one.path.ends_with("/uploads")));
    stays_a_link(&stage, &told.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_unknown_length_is_cut_when_it_grows_too_large() {
    let stage = with_a_large_file(false).await;
    let told = stage
        .sync_well(&["--max-attachment-size", "1MiB", "--json"])
        .await;
    let uploads = stage
        .target
        .sim
        .world(|world| world.project(stage.target.project).unwrap().uploads.len());
    assert_eq!(uploads, 0, "the cut stream left no file");
    stays_a_link(&stage, &told.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_job_of_its_own_carries_is_counted() {
    let stage = with_a_large_file(true).await;
    let source = &stage.source;
    let author = world::author(source);
    let content = Content::Generated {
        seed: 8,
        size: SIZE + 1,
    };
    let larger = source
        .sim
        .add_upload(source.project, author, "larger.bin", content)
        .unwrap();
    let text = format!("Text with [larger.bin]({}).", larger.path());
    world::add_issue(source, "Larger", &text);
    let told = stage.sync_well(&["--json"]).await.json();
    assert_eq!(told["attachments"], 2);
    let uploads = stage
        .target
        .sim
        .world(|world| world.project(stage.target.project).unwrap().uploads.len());
    assert_eq!(uploads, 2);
}

#[track_caller]
fn stays_a_link(stage: &Stage, report: &serde_json::Value) {
    assert_eq!(report["attachments"], 0);
    let notice = report["notices"].to_string();
    assert!(notice.contains("stays a link to the source"), "{notice}");
    let link = format!("{}/-/project/", stage.source.server.url());
    let text = stage.target.sim.world(|world| {
        let issue = world.issue(stage.target.project, 1).unwrap();
        issue.description.clone().unwrap()
    });
    assert!(
        text.contains("large.bin](") && text.contains(&stage.source.server.url()),
        "no {link}: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_within_the_size_crosses_byte_by_byte() {
    for announced in [true, false] {
        let stage = with_a_large_file(announced).await;
        let told = stage.sync_well(&["--json"]).await;
        assert_eq!(told.json()["attachments"], 1, "{told:?}");
        let sums = [&stage.source, &stage.target].map(|end| {
            end.sim.world(|world| {
                let project = world.project(end.project).unwrap();
                project
                    .uploads
                    .iter()
                    .map(|upload| upload.content.sha256())
                    .collect::<Vec<_>>()
            })
        });
        assert_eq!(sums[0].len(), 1);
        assert_eq!(sums[0], sums[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_file_crosses_to_a_public_project_only_where_that_is_said() {
    let stage = Stage::new().await;
    let (source, target) = (&stage.source, &stage.target);
    let author = world::author(source);
    let content = Content::Generated { seed: 9, size: 10 };
    let upload = source
        .sim
        .add_upload(source.project, author, "zebra.png", content)
        .unwrap();
    let spec = IssueSpec {
        author,
        title: "The zebra".to_owned(),
        description: Some(format!("![x]({})", upload.path())),
        confidential: true,
        ..IssueSpec::default()
    };
    source
        .sim
        .edit(|world| world.create_issue(source.project, spec).unwrap());
    target.sim.edit(|world| {
        let home = world.project_mut(target.project).unwrap();
        home.visibility = Visibility::Public;
    });
    let uploads = || {
        let project = target.project;
        let count = |world: &gitlab_sim::World| world.project(project).unwrap().uploads.len();
        target.sim.world(count)
    };
    let told = stage.sync_well(&[]).await;
    let why = "a file of a confidential issue or internal note is not copied into a project that \
               others can see, unless --expose-files allows it (#1)";
    assert!(told.out.contains(why), "{told:?}");
    assert_eq!(uploads(), 0);
    let exposing = ["--expose-files", "--full"];
    let plan = stage
        .run("plan", &["--include-closed", exposing[0], exposing[1]])
        .await;
    assert!(plan.out.contains("file (confidential)"), "{plan:?}");
    for said in [&told, &plan] {
        let all = format!("{}{}", said.out, said.err);
        assert!(!all.to_lowercase().contains("zebra"), "{all}");
    }
    stage.sync_well(&exposing).await;
    assert_eq!(uploads(), 1);
}
