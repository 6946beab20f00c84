//! Titles stay on record, for people to find an issue by, as long as whoever sees the project may read them.

use crate::support::{SECRET, World, issue, note, secret};
use gitlab_sim::{HookVerdict, IssueEdit, Phase};
use mirror_core::{
    ids::Iid,
    job::{Job, Priority},
};
use mirror_store::{IssueFilter, Owe};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

impl World {
    async fn title(&self, iid: u64) -> Option<String> {
        let iid = Iid(i64::try_from(iid).unwrap());
        let known = self.cx.store.issue_mapping(self.mirror, iid).await;
        known.unwrap().unwrap().title
    }

    async fn after(&self, iid: u64, edit: IssueEdit) -> Option<String> {
        self.later(600);
        self.edit(iid, edit);
        self.run().await;
        self.title(iid).await
    }
}

fn titled(title: &str, confidential: bool) -> IssueEdit {
    IssueEdit {
        confidential: Some(confidential),
        title: Some(title.to_owned()),
        ..IssueEdit::default()
    }
}

#[tokio::test]
async fn the_title_of_an_issue_is_on_record_while_it_is_open_to_all() {
    let world = World::new().await;
    let (open, hidden) = (
        world.write(issue(world.alice, "Brakes squeak")),
        world.write(secret(&world)),
    );
    world.run().await;
    assert_eq!(world.title(open).await.as_deref(), Some("Brakes squeak"));
    assert_eq!(world.title(hidden).await, None);

    assert_eq!(
        world
            .after(open, titled(&format!("The {SECRET}"), true))
            .await,
        None
    );
    let again = world.after(open, titled("Brakes", false)).await;
    assert_eq!(again.as_deref(), Some("Brakes"));
    world.all_went_well().await;
}

#[tokio::test]
async fn the_title_of_an_issue_that_was_taken_out_or_is_gone_is_forgotten() {
    let world = World::new().await;
    let (out, gone) = (
        world.write(issue(world.alice, "Ours alone")),
        world.write(issue(world.alice, "Gone soon")),
    );
    world.run().await;
    let filter = IssueFilter {
        iid: Some(Iid(i64::try_from(out).unwrap())),
        ..IssueFilter::default()
    };
    let store = &world.cx.store;
    let listed = store.listed_issues(world.mirror, &filter, 1).await.unwrap();
    assert_eq!(listed[0].title.as_deref(), Some("Ours alone"));
    store
        .unlink_issue(world.mirror, listed[0].id)
        .await
        .unwrap();
    assert_eq!(world.title(out).await, None);

    let (project, by) = (world.from.project, world.alice);
    world
        .source
        .edit(|sim| sim.delete_issue(project, gone, by).unwrap());
    world.later(600);
    let job = Job::SyncIssue {
        mirror: world.mirror,
        iid: Iid(i64::try_from(gone).unwrap()),
    };
    let owe = Owe::changed(job, Priority::ByHand);
    store.owe(&[owe]).await.unwrap();
    world.run().await;
    assert_eq!(world.title(gone).await, None);
}

#[tokio::test]
async fn an_issue_that_becomes_confidential_while_its_comments_are_read_has_no_title() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Brakes squeak"));
    world.say(iid, note(world.alice, "All of them."));
    let (sim, project, alice) = (world.source.clone(), world.from.project, world.alice);
    let (clock, once) = (world.clock.clone(), AtomicBool::new(true));
    world.source.set_hook(Arc::new(move |event| {
        let reads = event.phase == Phase::Before && event.path.ends_with("/discussions");
        if reads && once.swap(false, Ordering::SeqCst) {
            clock.advance(Duration::from_secs(2));
            sim.edit(|sim| {
                let hidden = titled(&format!("The {SECRET}"), true);
                sim.edit_issue(project, iid, alice, hidden).unwrap();
                sim.add_note(project, iid, note(alice, SECRET)).unwrap();
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert!(world.source_issue(iid).confidential);
    assert_eq!(world.title(iid).await, None);
}
