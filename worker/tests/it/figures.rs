//! What things cost in requests, as `worker/src/lib.rs` tells it.

use crate::support::{World, issue, note};
use gitlab_sim::{Content, IssueEdit, IssueSpec, IssueState};
use mirror_core::{ids::Iid, job::Job};

/// What the binary asks of both ends before work begins, at most.
const SET_UP: usize = 10;

impl World {
    fn requests(&self) -> usize {
        self.source_requests().len() + self.target_requests().len()
    }

    /// Requests of one run.
    async fn cost(&self) -> usize {
        self.forget_requests();
        self.run().await;
        self.requests()
    }
}

#[tokio::test]
async fn a_plain_project_costs_little_more_than_what_it_holds() {
    let world = World::new().await;
    gitlab_sim::seed::plain(&world.source, world.from.project, 200, 3).unwrap();
    let cost = world.cost().await + SET_UP;
    let floor = 200 + 600 + 2 + 200 + 10;
    assert!(
        cost * 100 <= floor * 102,
        "{cost} requests, {floor} are the floor"
    );
    world.assert_all_mirrored();
    world.all_went_well().await;

    world.cost().await;
    assert_eq!(world.writes(), Vec::<String>::new());

    world.later(300);
    world.cost().await;
    let list = |side: Vec<String>| {
        assert_eq!(side.len(), 1, "{side:?}");
        assert!(side[0].ends_with("/issues"), "{side:?}");
    };
    list(world.source_requests());
    list(world.target_requests());
}

#[tokio::test]
async fn each_request_of_an_issue_stays_on_record_with_its_try() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Before"));
    world.run().await;
    world.later(3_600);
    world.say(iid, note(world.alice, "One"));
    world.later(600);
    world.forget_requests();
    world.run().await;
    let key = Job::SyncIssue {
        mirror: world.mirror,
        iid: Iid(i64::try_from(iid).unwrap()),
    };
    let job = world
        .cx
        .store
        .job_called(&key.key())
        .await
        .unwrap()
        .unwrap();
    let tries = world.cx.store.attempts(job.work, 1).await.unwrap();
    let kept: Vec<String> = tries[0]
        .requests
        .iter()
        .map(|request| {
            assert!(
                request.status.is_some_and(|status| status < 300),
                "{request:?}"
            );
            let path = request.path.trim_start_matches("/projects/");
            format!("{} {path}", request.method)
        })
        .collect();
    let mut seen = world.source_requests();
    seen.extend(world.target_requests());
    let unexpected: Vec<&String> = kept.iter().filter(|one| !seen.contains(one)).collect();
    assert_eq!(unexpected, Vec::<&String>::new(), "{seen:?}");
    // All but the scan's pages are this job's.
    let scans = |one: &&String| one.ends_with("/issues");
    let others = seen.iter().filter(|one| !scans(one)).count();
    assert_eq!(
        kept.iter().filter(|one| !scans(one)).count(),
        others,
        "{kept:?}"
    );
    assert!(
        kept.iter()
            .any(|one| one.starts_with("POST") && one.ends_with("/notes")),
        "{kept:?}"
    );
}

/// What creating an issue costs with `more` on it, above what it costs without.
async fn extra(more: impl Fn(&World, u64)) -> isize {
    let mut costs = Vec::new();
    for with in [false, true] {
        let world = World::new().await;
        // The labels that every issue brings are there.
        world.write(issue(world.alice, "Before"));
        world.run().await;
        world.later(3_600);
        let iid = world.write(issue(world.alice, "Priced"));
        if with {
            more(&world, iid);
        }
        world.later(600);
        costs.push(isize::try_from(world.cost().await).unwrap());
        world.all_went_well().await;
        world.assert_mirrored([iid]);
    }
    costs[1] - costs[0]
}

#[tokio::test]
async fn what_each_thing_adds_to_a_new_issue() {
    let edit = |edit: IssueEdit| move |world: &World, iid| world.edit(iid, edit.clone());
    let weight = edit(IssueEdit {
        weight: Some(Some(3)),
        ..IssueEdit::default()
    });
    assert_eq!(
        extra(weight).await,
        0,
        "weight, day, type and title travel with the create"
    );
    let estimate = edit(IssueEdit {
        time_estimate: Some(600),
        ..IssueEdit::default()
    });
    assert_eq!(extra(estimate).await, 1, "an estimate");
    let spent = |world: &World, iid| {
        let from = world.from.project;
        world
            .source
            .edit(|sim| sim.log_time(from, iid, world.alice, 60, None).unwrap());
    };
    assert_eq!(extra(spent).await, 1, "logged time");
    let label = edit(IssueEdit {
        labels: Some(vec!["new".into()]),
        ..IssueEdit::default()
    });
    assert_eq!(extra(label).await, 1, "a label that the target lacks");
    let comment = |world: &World, iid| {
        world.say(iid, note(world.alice, "Hello."));
    };
    assert_eq!(extra(comment).await, 2, "the list of comments, and one");
    let comments = |world: &World, iid| {
        for _ in 0..5 {
            world.say(iid, note(world.alice, "Hello."));
        }
    };
    assert_eq!(extra(comments).await, 6, "the list of comments, and five");
    let file = |world: &World, iid| {
        let (from, alice) = (world.from.project, world.alice);
        let content = Content::Generated { seed: 3, size: 99 };
        let path = world
            .source
            .add_upload(from, alice, "a.png", content)
            .unwrap()
            .path();
        let text = Some(Some(format!("![a]({path}) ![a]({path})")));
        world.edit(
            iid,
            IssueEdit {
                description: text,
                ..IssueEdit::default()
            },
        );
    };
    assert_eq!(
        extra(file).await,
        2,
        "a file: one to read it, one to write it"
    );
}

#[tokio::test]
async fn what_each_change_of_a_mirrored_issue_costs() {
    let world = World::new().await;
    let (from, alice) = (world.from.project, world.alice);
    let iid = world.write(IssueSpec {
        labels: vec!["a".into()],
        ..issue(alice, "Priced")
    });
    world.run().await;
    world.later(3_600);
    world.run().await;
    // One list on each side, whatever is found.
    const LISTS: usize = 2;
    let edits = [
        (
            2,
            IssueEdit {
                title: Some("Another".into()),
                ..IssueEdit::default()
            },
        ),
        (
            2,
            IssueEdit {
                labels: Some(vec![]),
                ..IssueEdit::default()
            },
        ),
        (
            2,
            IssueEdit {
                time_estimate: Some(600),
                ..IssueEdit::default()
            },
        ),
        // The footer tells when it was closed.
        (
            3,
            IssueEdit {
                state: Some(IssueState::Closed),
                ..IssueEdit::default()
            },
        ),
    ];
    for (cost, edit) in edits {
        world.later(3_600);
        world.edit(iid, edit.clone());
        world.later(600);
        assert_eq!(
            world.cost().await,
            LISTS + cost,
            "{edit:?}: {:?}",
            world.target_requests()
        );
    }
    world.later(3_600);
    let said = world.say(iid, note(alice, "Hello."));
    world.later(600);
    assert_eq!(
        world.cost().await,
        LISTS + 2,
        "a comment: the source's list, and one"
    );
    world.later(3_600);
    world
        .source
        .edit(|sim| sim.edit_note(from, iid, said, alice, "Good day.").unwrap());
    world.later(600);
    assert_eq!(
        world.cost().await,
        LISTS + 2,
        "an edited comment: the source's list, and one"
    );
    world.all_went_well().await;
    world.assert_mirrored([iid]);
}
