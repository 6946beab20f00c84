//! What becomes confidential is hidden before anything else happens to it (law 5, rule 16).

use crate::support::{SECRET, Stage, World, issue, note, secret};
use gitlab_sim::{Content, HookVerdict, IssueEdit, IssueSpec, Phase};
use mirror_core::{
    outcome::{Outcome, SkipReason},
    plan::Step,
};
use mirror_worker::Settings;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

impl World {
    pub(crate) fn flip(&self, iid: u64, confidential: bool) {
        self.edit(
            iid,
            IssueEdit {
                confidential: Some(confidential),
                ..IssueEdit::default()
            },
        );
    }

    /// A file of the source whose name is a secret, as a link to it.
    pub(crate) fn secret_file(&self, size: u64) -> String {
        let content = Content::Generated { seed: size, size };
        let (from, alice) = (self.from.project, self.alice);
        let name = format!("{SECRET}-{size}.png");
        let upload = self.source.add_upload(from, alice, &name, content);
        format!("![x]({})", upload.unwrap().path())
    }

    /// From now on no file may come while the first copy is public, or not there.
    pub(crate) fn no_file_comes_before_it_is_hidden(&self) -> Arc<AtomicBool> {
        let (sim, to) = (self.target.clone(), self.to.project);
        let too_early = Arc::new(AtomicBool::new(false));
        let told = too_early.clone();
        self.target.set_hook(Arc::new(move |event| {
            let carries = event.phase == Phase::Before && event.path.ends_with("/uploads");
            let hidden =
                sim.world(|world| world.issue(to, 1).is_some_and(|copy| copy.confidential));
            told.fetch_or(carries && !hidden, Ordering::SeqCst);
            Box::pin(async { HookVerdict::Go })
        }));
        too_early
    }
}

#[tokio::test]
async fn the_first_request_that_changes_something_after_a_flip_is_the_one_that_hides() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    let file = world.secret_file(1);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(format!("{SECRET}: {file}"))),
            labels: Some(vec![SECRET.to_owned()]),
            ..IssueEdit::default()
        },
    );
    let said = format!("{SECRET}: {}", world.secret_file(2));
    world.say(iid, note(world.alice, &said));
    // Not a comment is read before it is hidden.
    let (target, to) = (world.target.clone(), world.to.project);
    let public = Arc::new(AtomicBool::new(false));
    let told = public.clone();
    world.source.set_hook(Arc::new(move |event| {
        let reads = event.phase == Phase::Before && event.path.ends_with("/discussions");
        let hidden = target.world(|sim| sim.issue(to, 1).unwrap().confidential);
        told.fetch_or(reads && !hidden, Ordering::SeqCst);
        Box::pin(async { HookVerdict::Go })
    }));
    let watch = world.watch();
    let writes = world.next_run().await;
    assert_eq!(writes[0], format!("PUT {to}/issues/1"), "{writes:?}");
    assert!(!public.load(Ordering::SeqCst), "read while it was public");
    watch.saw_nothing();
    world.source.clear_hook();
    world.target.clear_hook();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
    assert_eq!(world.next_run().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_issue_that_becomes_confidential_while_it_is_read_is_hidden_before_its_files_go() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.say(iid, note(world.alice, "Still open."));
    let said = world.secret_file(1);
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.ends_with("/discussions") {
            source.clear_hook();
            source.edit(|sim| {
                let hide = IssueEdit {
                    confidential: Some(true),
                    ..IssueEdit::default()
                };
                sim.edit_issue(from, iid, alice, hide).unwrap();
                sim.add_note(from, iid, note(alice, &said)).unwrap();
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.later(600);
    let too_early = world.no_file_comes_before_it_is_hidden();
    world.run().await;
    assert!(!too_early.load(Ordering::SeqCst));
    world.assert_mirrored([iid]);
    assert_eq!(world.files().1.len(), 1);
    world.all_went_well().await;
}

#[tokio::test]
async fn the_first_confidential_issue_is_known_to_be_hidden_before_its_files_go() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        description: Some(world.secret_file(1)),
        ..secret(&world)
    });
    let too_early = world.no_file_comes_before_it_is_hidden();
    world.run().await;
    assert!(!too_early.load(Ordering::SeqCst));
    world.assert_mirrored([iid]);
    assert_eq!(world.files().1.len(), 1);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_target_that_hides_nothing_gets_no_file_either() {
    let world = World::new().await;
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().drops_confidential = true);
    let iid = world.write(IssueSpec {
        description: Some(world.secret_file(1)),
        ..secret(&world)
    });
    world.run().await;
    assert_eq!(world.files().1.len(), 0);
    let outcome = world.outcome(iid);
    assert!(
        matches!(
            outcome,
            Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_flip_that_the_target_would_not_heed_is_not_followed_by_anything() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            title: Some(SECRET.to_owned()),
            description: Some(Some(world.secret_file(1))),
            ..IssueEdit::default()
        },
    );
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().drops_confidential = true);
    let watch = world.watch();
    let writes = world.next_run().await;
    watch.saw_nothing();
    assert_eq!(writes, [format!("PUT {to}/issues/1")]);
    assert_eq!(world.next_run().await, Vec::<String>::new());
}

#[tokio::test]
async fn flips_either_way_and_back_tell_nobody_anything() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, &format!("{SECRET} again")));
    world.run().await;
    let watch = world.watch();
    for round in 0..3 {
        world.later(600);
        world.edit(
            iid,
            IssueEdit {
                confidential: Some(false),
                title: Some(format!("Solved {round}")),
                description: Some(Some("Nothing to hide.".into())),
                ..IssueEdit::default()
            },
        );
        let (from, alice) = (world.from.project, world.alice);
        let said = world.source_issue(iid).notes;
        let told = said
            .iter()
            .filter(|note| !note.system && note.body.contains(SECRET));
        for note in told {
            world
                .source
                .edit(|sim| sim.delete_note(from, iid, note.id, alice).unwrap());
        }
        world.next_run().await;
        watch.saw_nothing();
        assert!(!world.copy(iid).issue.confidential);
        world.assert_mirrored([iid]);

        world.later(600);
        world.flip(iid, true);
        world.retitle(iid, &format!("{SECRET} {round}"));
        world.say(iid, note(world.alice, &format!("{SECRET} {round}")));
        world.next_run().await;
        watch.saw_nothing();
        assert!(world.copy(iid).issue.confidential);
        world.assert_mirrored([iid]);
    }
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_hides_first_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let open = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        open,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(world.secret_file(1))),
            ..IssueEdit::default()
        },
    );
    assert_eq!(crate::plans::plan_then_sync(&mut world).await, 3);
    assert!(world.copy(open).issue.confidential);
}

#[tokio::test]
async fn the_plan_of_the_first_confidential_issue_has_its_files_after_the_proof() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    world.write(IssueSpec {
        description: Some(world.secret_file(1)),
        ..secret(&world)
    });
    world.write(IssueSpec {
        description: Some(world.secret_file(2)),
        ..secret(&world)
    });
    crate::plans::plan_then_sync(&mut world).await;
    let steps = world.planned();
    assert!(
        matches!(steps[0], Step::CreateIssue(_))
            && matches!(steps[1], Step::TransferUpload { hidden: true, .. }),
        "{steps:?}"
    );
}
