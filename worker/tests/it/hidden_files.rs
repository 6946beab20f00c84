//! Files of hidden texts go nowhere where others can open them, and nowhere before the text that
//! mentions them is hidden there (decision 24).

use crate::support::{Stage, World, issue, note, secret};
use gitlab_sim::{AccessLevel, HookVerdict, IssueEdit, IssueSpec, NoteSpec, Phase, Visibility};
use mirror_worker::{Mode, Settings};
use std::sync::{Arc, atomic::Ordering};

const LARGE: u64 = 1_000;

async fn with_large_files(stage: Stage) -> World {
    let settings = Settings {
        large_attachment: LARGE,
        ..Settings::default()
    };
    World::with(stage, settings, Mode::Sync).await
}

#[tokio::test]
async fn hidden_files_go_where_others_can_open_them_only_if_somebody_says_so() {
    for exposes_files in [false, true] {
        let settings = Settings {
            exposes_files,
            ..Settings::default()
        };
        let stage = Stage::new().target_visibility(Visibility::Public);
        let world = World::with(stage, settings, Mode::Sync).await;
        let iid = world.write(IssueSpec {
            description: Some(world.secret_file(1)),
            ..secret(&world)
        });
        let open = world.write(issue(world.alice, "Open"));
        let internal = world.secret_file(2);
        world.say(
            open,
            NoteSpec {
                internal: true,
                ..note(world.alice, &internal)
            },
        );
        world.run().await;
        let files = if exposes_files { 2 } else { 0 };
        assert_eq!(world.files().1.len(), files);
        let text = world.copy(iid).issue.description.unwrap();
        assert_eq!(text.contains("](/uploads/"), exposes_files, "{text}");
        let comment = world.copy(open).notes()[0].1.body.clone();
        assert_eq!(comment.contains("](/uploads/"), exposes_files, "{comment}");
        assert_eq!(
            world.told().contains("--expose-files"),
            !exposes_files,
            "the report names the way out"
        );
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_target_that_has_just_become_public_gets_no_hidden_files() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        description: Some(world.secret_file(1)),
        ..secret(&world)
    });
    // The engine still takes it for private.
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().visibility = Visibility::Public);
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    assert_eq!(world.copies_of(iid).len(), 1);
    assert_eq!(world.files().1.len(), 0);
    world.all_went_well().await;
}

#[tokio::test]
async fn files_of_internal_comments_stay_where_these_cannot_be_hidden() {
    let world = World::on(Stage::new().target_role(AccessLevel::Guest)).await;
    let open = world.write(issue(world.alice, "Open"));
    let internal = world.secret_file(1);
    world.say(
        open,
        NoteSpec {
            internal: true,
            ..note(world.alice, &internal)
        },
    );
    world.run().await;
    assert_eq!(world.files().1.len(), 0);
    assert_eq!(world.copy(open).notes().len(), 0);
}

#[tokio::test]
async fn what_becomes_confidential_while_its_files_are_carried_sends_no_more_of_them() {
    let world = World::on(Stage::new().target_visibility(Visibility::Public)).await;
    let text = format!("{} {}", world.secret_file(1), world.secret_file(2));
    let iid = world.write(IssueSpec {
        description: Some(text),
        ..issue(world.alice, "Open")
    });
    world.later(3_600);
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    let (target, clock) = (world.target.clone(), world.clock.clone());
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::After && event.path.ends_with("/uploads") {
            target.clear_hook();
            let hide = IssueEdit {
                confidential: Some(true),
                ..IssueEdit::default()
            };
            source.edit(|sim| sim.edit_issue(from, iid, alice, hide).unwrap());
            clock.advance(std::time::Duration::from_secs(61));
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert_eq!(world.files().1.len(), 1, "the one that went before");
    assert!(world.copy(iid).issue.confidential);
    world.all_went_well().await;
}

/// An issue with a public copy whose large file is about to be carried.
async fn about_to_be_carried(world: &World) -> u64 {
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    let file = world.secret_file(LARGE + 1);
    world.edit(
        iid,
        IssueEdit {
            description: Some(Some(file)),
            ..IssueEdit::default()
        },
    );
    world.forget_requests();
    world.owe_scan().await;
    // The scan, and the issue, which asks for the transfer.
    for _ in 0..2 {
        assert!(world.round(1).await);
    }
    let left = world.unfinished().await;
    let transfers = |(key, _): &(String, _)| key.starts_with("transfer_upload/");
    assert!(left.iter().any(transfers), "{left:?}");
    iid
}

#[tokio::test]
async fn a_transfer_waits_until_what_became_confidential_is_hidden() {
    let world = with_large_files(Stage::new()).await;
    let iid = about_to_be_carried(&world).await;
    world.flip(iid, true);
    let too_early = world.no_file_comes_before_it_is_hidden();
    world.work().await;
    assert!(!too_early.load(Ordering::SeqCst));
    world.next_run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.files().1.len(), 1);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_transfer_for_an_internal_comment_ends_where_the_target_becomes_public() {
    let world = with_large_files(Stage::new()).await;
    let iid = world.write(issue(world.alice, "Open"));
    let file = world.secret_file(LARGE + 1);
    world.say(
        iid,
        NoteSpec {
            internal: true,
            ..note(world.alice, &file)
        },
    );
    world.owe_scan().await;
    for _ in 0..2 {
        assert!(world.round(1).await);
    }
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().visibility = Visibility::Public);
    world.work().await;
    assert_eq!(world.files().1.len(), 0);
    assert_eq!(world.copy(iid).notes().len(), 1);
    world.all_went_well().await;
}
