//! What people can choose (`--issue`, `--full`, `--include-closed`, `--max-attachment-size`).

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{Content, IssueEdit, IssueSpec, IssueState, Sim};
use mirror_core::ids::Iid;
use mirror_worker::{Mode, Notice, Settings};

#[tokio::test]
async fn one_issue_alone_is_synced_and_the_others_are_found_later() {
    let settings = Settings {
        only: Some(Iid(2)),
        ..Settings::default()
    };
    let mut world = World::with(Stage::new(), settings, Mode::Sync).await;
    let iids = ["One", "Two", "Three"].map(|title| world.write(issue(world.alice, title)));
    world.run().await;
    assert_eq!(world.target_count(), 1);
    world.assert_mirrored([iids[1]]);
    world.later(600);
    for iid in iids {
        world.edit(
            iid,
            IssueEdit {
                weight: Some(Some(2)),
                ..IssueEdit::default()
            },
        );
    }
    world.run().await;
    world.assert_mirrored([iids[1]]);
    assert_eq!(world.target_count(), 1);
    world.restart_with(Settings::default(), Mode::Sync).await;
    world.run().await;
    world.assert_mirrored(iids);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_edit_on_the_target_is_not_forgotten_while_another_issue_is_synced_alone() {
    let mut world = World::new().await;
    let iids = ["One", "Two"].map(|title| world.write(issue(world.alice, title)));
    world.run().await;
    world.later(600);
    let copy = world.copy(iids[0]).issue.iid;
    let mine = IssueEdit {
        title: Some("Mine".into()),
        ..IssueEdit::default()
    };
    world.edit_target(copy, mine);
    let only = Settings {
        only: Some(Iid(2)),
        ..Settings::default()
    };
    world.restart_with(only, Mode::Sync).await;
    world.run().await;
    world.restart_with(Settings::default(), Mode::Sync).await;
    world.later(600);
    world.run().await;
    world.assert_mirrored(iids);
}

#[tokio::test]
async fn closed_issues_are_mirrored_from_the_day_they_are_asked_for() {
    for full in [false, true] {
        closed_issues_are_asked_for_later(full).await;
    }
}

async fn closed_issues_are_asked_for_later(full: bool) {
    let mut world = World::new().await;
    let closed = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Closed")
    });
    world.say(closed, note(world.alice, "Done."));
    world.run().await;
    assert_eq!(world.target_count(), 0);
    world.later(3_600);
    let settings = Settings {
        include_closed: true,
        full,
        ..Settings::default()
    };
    world.restart_with(settings, Mode::Sync).await;
    world.run().await;
    world.assert_mirrored([closed]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_issue_reopened_after_it_was_left_out_arrives() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Closed")
    });
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_full_run_of_what_is_in_line_writes_nothing() {
    let settings = Settings {
        include_closed: true,
        ..Settings::default()
    };
    let mut world = World::with(Stage::demo(), settings.clone(), Mode::Sync).await;
    world.run().await;
    world.later(3_600);
    let full = Settings {
        full: true,
        ..settings
    };
    world.restart_with(full, Mode::Sync).await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
    world.assert_every_issue_mirrored();
}

#[tokio::test]
async fn a_file_over_the_limit_stays_a_link_to_the_source_announced_or_not() {
    for announced in [true, false] {
        let source = Sim::builder().announce_length(announced);
        let stage = Stage::from_builders(source, Sim::builder());
        let settings = Settings {
            max_attachment: 100_000,
            ..Settings::default()
        };
        let world = World::with(stage, settings, Mode::Sync).await;
        let (from, alice) = (world.from.project, world.alice);
        let file = |name: &str, size| {
            let content = Content::Generated { seed: size, size };
            world
                .source
                .add_upload(from, alice, name, content)
                .unwrap()
                .path()
        };
        let (fits, over) = (file("fits.bin", 100_000), file("over.bin", 100_001));
        let text = format!("[fits]({fits}) [over]({over})");
        let iid = world.write(IssueSpec {
            description: Some(text),
            ..issue(alice, "Files")
        });
        world.run().await;
        world.all_went_well().await;
        let left = "larger than --max-attachment-size (100000 bytes)".to_owned();
        assert_eq!(world.notices(), [Notice::UploadLeft { why: left }]);
        let files = world.target.world(|sim| {
            let uploads = sim.project(world.to.project).unwrap().uploads.iter();
            uploads
                .map(|upload| upload.filename.clone())
                .collect::<Vec<_>>()
        });
        assert_eq!(files, ["fits.bin"], "announced: {announced}");
        let description = world.copy(iid).issue.description.unwrap();
        let link = format!("https://gitlab.a/shop/source{over}");
        assert!(description.contains(&link), "{description}");
        world.later(300);
        world.run().await;
        world.later(300);
        world.forget_requests();
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_file_over_the_targets_own_limit_or_gone_from_the_source_holds_nothing_up() {
    let target = Sim::builder().max_attachment_bytes(Some(50));
    let world = World::on(Stage::from_builders(Sim::builder(), target)).await;
    let (from, alice) = (world.from.project, world.alice);
    let content = Content::Generated { seed: 1, size: 51 };
    let over = world
        .source
        .add_upload(from, alice, "over.bin", content)
        .unwrap()
        .path();
    let gone = format!("/uploads/{}/gone.png", "0".repeat(32));
    let text = format!("[over]({over}) ![gone]({gone})");
    let iid = world.write(IssueSpec {
        description: Some(text),
        ..issue(alice, "Files")
    });
    world.say(iid, note(alice, "And a comment."));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.notices().len(), 2);
    assert_eq!(world.copy(iid).notes().len(), 1);
}

#[tokio::test]
async fn a_source_older_than_its_download_endpoint_keeps_links_to_itself() {
    let source = Sim::builder().version("17.2.0");
    let world = World::on(Stage::from_builders(source, Sim::builder())).await;
    let (from, alice) = (world.from.project, world.alice);
    let content = Content::Generated { seed: 1, size: 51 };
    let path = world
        .source
        .add_upload(from, alice, "a.pdf", content)
        .unwrap()
        .path();
    let text = Some(format!("[a]({path})"));
    let iid = world.write(IssueSpec {
        description: text,
        ..issue(alice, "Files")
    });
    world.run().await;
    world.all_went_well().await;
    assert_eq!(
        world.files().1.len(),
        0,
        "no sign-in page was taken for the file"
    );
    let description = world.copy(iid).issue.description.unwrap();
    assert!(description.contains(&format!("https://gitlab.a/shop/source{path}")));
}
