//! Large files are carried by jobs of their own, and other issues go on meanwhile.

use crate::{
    leases::stall,
    support::{Stage, World, issue, note},
};
use gitlab_sim::{
    Content, Fault, FaultRule, HookVerdict, IssueEdit, IssueSpec, Phase, Sim, Visibility, When,
};
use mirror_core::plan::Step;
use mirror_worker::{Mode, Settings};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const LARGE: u64 = 1_000;

async fn on(stage: Stage) -> World {
    let settings = Settings {
        large_attachment: LARGE,
        ..Settings::default()
    };
    World::with(stage, settings, Mode::Sync).await
}

impl World {
    /// An upload of the source, as a link to it.
    fn file(&self, name: &str, size: u64) -> String {
        let content = Content::Generated { seed: size, size };
        let upload = self
            .source
            .add_upload(self.from.project, self.alice, name, content)
            .unwrap();
        format!("[{name}]({})", upload.path())
    }

    fn write_with(&self, text: &str) -> u64 {
        self.write(IssueSpec {
            description: Some(text.to_owned()),
            ..issue(self.alice, "With a file")
        })
    }

    fn uploads(&self) -> usize {
        let writes = self.writes();
        writes
            .iter()
            .filter(|write| write.ends_with("/uploads"))
            .count()
    }
}

#[tokio::test]
async fn a_large_file_holds_up_its_own_issue_only() {
    let world = on(Stage::new()).await;
    let text = format!(
        "{} {}",
        world.file("large.bin", LARGE + 1),
        world.file("small.bin", LARGE)
    );
    let with_file = world.write_with(&text);
    let plain = world.write(issue(world.alice, "Plain"));
    world.run().await;
    world.assert_mirrored([with_file, plain]);
    world.all_went_well().await;
    let order: Vec<String> = world
        .writes()
        .into_iter()
        .filter(|write| write.ends_with("/uploads") || write.ends_with("/issues"))
        .map(|write| write.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(order, ["uploads", "issues", "uploads", "issues"]);
    world.forget_requests();
    world.later(600);
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn issues_that_wait_for_the_same_file_share_its_one_transfer() {
    let world = on(Stage::new()).await;
    let text = world.file("large.bin", LARGE + 1);
    let iids = [world.write_with(&text), world.write_with(&text)];
    world.say(iids[0], note(world.alice, &text));
    world.run_wide(4).await;
    world.assert_mirrored(iids);
    world.all_went_well().await;
    assert_eq!(world.uploads(), 1);
}

#[tokio::test]
async fn of_many_large_files_few_are_carried_at_once_and_all_arrive() {
    let world = on(Stage::new()).await;
    let iids: Vec<u64> = (0..6)
        .map(|n| world.write_with(&world.file(&format!("{n}.bin"), LARGE + 1 + n)))
        .collect();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (now.clone(), most.clone());
    let clock = world.clock.clone();
    world.target.set_hook(Arc::new(move |event| {
        let is_upload = event.method == "POST" && event.path.ends_with("/uploads");
        let begins = is_upload && event.phase == Phase::Before;
        let ends = is_upload && event.phase == Phase::After;
        if begins {
            peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        let (counted, peak) = (counted.clone(), peak.clone());
        let held = ends.then(|| clock.hold());
        Box::pin(async move {
            let _held = held;
            if ends {
                // Lets another come as far, and all others if they may.
                while peak.load(Ordering::SeqCst) < 2 {
                    tokio::task::yield_now().await;
                }
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                counted.fetch_sub(1, Ordering::SeqCst);
            }
            HookVerdict::Go
        })
    }));
    world.run_wide(8).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(world.uploads(), 6);
    world.assert_mirrored(iids);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_transfer_that_was_lost_with_its_worker_is_done_again() {
    let mut world = on(Stage::new()).await;
    let iid = world.write_with(&world.file("large.bin", LARGE + 1));
    let (met, _go) = stall(&world, "/uploads");
    tokio::select! {
        () = world.run() => panic!("the transfer goes on"),
        () = met.notified() => {}
    }
    world.restart().await;
    world.work().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn a_large_file_that_is_refused_holds_nothing_up() {
    let target = Sim::builder().max_attachment_bytes(Some(LARGE));
    let world = on(Stage::from_builders(Sim::builder(), target)).await;
    let iid = world.write_with(&world.file("large.bin", LARGE + 1));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.notices().len(), 1);
    assert!(
        world
            .copy(iid)
            .issue
            .description
            .unwrap()
            .contains("gitlab.a")
    );
}

#[tokio::test]
async fn a_transfer_given_up_is_its_issues_failure_and_both_can_be_tried_again() {
    let world = on(Stage::new()).await;
    let iid = world.write_with(&world.file("large.bin", LARGE + 1));
    world.target.fail(FaultRule::new(
        "POST",
        "/uploads$",
        When::Always,
        Fault::ErrorBefore(500),
    ));
    world.run().await;
    let left = world.unfinished().await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.iter().all(|(_, error)| error.is_some()),
        "both say why: {left:?}"
    );
    assert_eq!(world.copies_of(iid).len(), 0);
    world.target.clear_faults();
    world.cx.store.retry_dead(world.mirror).await.unwrap();
    world.work().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn what_became_confidential_before_its_transfer_is_not_carried() {
    let world = on(Stage::new().target_visibility(Visibility::Public)).await;
    let iid = world.write_with(&world.file("large.bin", LARGE + 1));
    world.owe_scan().await;
    // The scan, and the issue, which asks for the transfer.
    for _ in 0..2 {
        assert!(world.round(1).await);
    }
    assert!(
        world
            .unfinished()
            .await
            .iter()
            .any(|(key, _)| key.starts_with("transfer_upload/")),
        "{:?}",
        world.unfinished().await
    );
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert_eq!(world.uploads(), 0);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_carries_no_file_that_waits_for_its_turn() {
    let mut world = on(Stage::new()).await;
    let text = world.file("large.bin", LARGE + 1);
    world.write_with(&text);
    world.owe_scan().await;
    // The scan and the issue, but not yet its file.
    for _ in 0..2 {
        world.round(1).await;
    }
    let waiting = world.unfinished().await;
    let file = |row: &(String, Option<String>)| row.0.starts_with("transfer_upload/");
    assert!(waiting.iter().any(file), "{waiting:?}");
    let settings = Settings {
        large_attachment: LARGE,
        ..Settings::default()
    };
    world.restart_with(settings, Mode::Plan).await;
    world.work().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let carries = |step: &Step| matches!(step, Step::TransferUpload { .. });
    assert!(world.planned().iter().any(carries));
}
