//! The plan is the truth (law 9): what it tells is what is then sent, and it sends nothing itself.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{Edition, IssueEdit, IssueSpec, IssueState, NoteSpec, Via};
use mirror_core::{desired::Place, plan::Step};
use mirror_worker::Settings;

/// The kind of each request that a step sends to change something.
fn sent_by(step: &Step) -> Vec<&'static str> {
    match step {
        Step::TransferUpload { .. } => vec!["POST uploads"],
        Step::CreateLabel(_) => vec!["POST labels"],
        Step::CreateIssue(_) => vec!["POST issues"],
        Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::Open => {
            vec!["PUT issue"]
        }
        Step::SetTimeEstimate(0) => vec!["POST reset_time_estimate"],
        Step::SetTimeEstimate(_) => vec!["POST time_estimate"],
        Step::AddSpentTime(_) => vec!["POST add_spent_time"],
        Step::CreateNote(note) => {
            let create = match note.place {
                Place::Start if !note.internal => "POST discussions",
                Place::Start | Place::Plain => "POST notes",
                Place::Reply => "POST reply",
            };
            let fill = note.neutral_first.then_some("PUT note");
            std::iter::once(create).chain(fill).collect()
        }
        Step::UpdateNote { .. } | Step::WithdrawNote { .. } => vec!["PUT note"],
        Step::DeleteNote { .. } => vec!["DELETE note"],
        Step::SetResolved { .. } => vec!["PUT discussion"],
        Step::CreateLink { .. } => vec!["POST link"],
        Step::RemoveLink { .. } => vec!["DELETE link"],
        Step::DeleteIssue => vec!["DELETE issue"],
    }
}

fn kind_of(write: &str) -> &'static str {
    let parts: Vec<&str> = write.split(['/', ' ']).collect();
    match parts.as_slice() {
        ["POST", _, "uploads"] => "POST uploads",
        ["POST", _, "labels"] => "POST labels",
        ["POST", _, "issues"] => "POST issues",
        ["PUT", _, "issues", _] => "PUT issue",
        ["POST", _, "issues", _, "reset_time_estimate"] => "POST reset_time_estimate",
        ["POST", _, "issues", _, "time_estimate"] => "POST time_estimate",
        ["POST", _, "issues", _, "add_spent_time"] => "POST add_spent_time",
        ["POST", _, "issues", _, "notes"] => "POST notes",
        ["POST", _, "issues", _, "discussions"] => "POST discussions",
        ["POST", _, "issues", _, "discussions", _, "notes"] => "POST reply",
        ["PUT", _, "issues", _, "notes", _] => "PUT note",
        ["DELETE", _, "issues", _, "notes", _] => "DELETE note",
        ["DELETE", _, "issues", _] => "DELETE issue",
        ["PUT", _, "issues", _, "discussions", _] => "PUT discussion",
        ["POST", _, "issues", _, "links"] => "POST link",
        ["DELETE", _, "issues", _, "links", _] => "DELETE link",
        _ => panic!("{write}"),
    }
}

/// Plans, then syncs, and compares; how many requests to change something that were.
pub(crate) async fn plan_then_sync(world: &mut World) -> usize {
    world.forget_requests();
    let before = world.planned().len();
    let writes = world.all_writes();
    world.plan().await;
    assert_eq!(world.all_writes(), writes, "a plan writes nothing");
    let steps = world.planned().split_off(before);
    let planned: Vec<&str> = steps.iter().flat_map(sent_by).collect();
    let cost: u64 = steps.iter().map(Step::requests).sum();
    world.run().await;
    let writes = world.writes();
    let sent: Vec<&str> = writes.iter().map(|write| kind_of(write)).collect();
    assert_eq!(planned, sent);
    assert!(cost >= u64::try_from(sent.len()).unwrap());
    world.all_went_well().await;
    sent.len()
}

impl World {
    /// How much the API ever changed on both sides.
    fn all_writes(&self) -> usize {
        [&self.source, &self.target]
            .map(|sim| {
                sim.world(|world| {
                    let changes = world.changes().iter();
                    changes.filter(|change| change.via == Via::Api).count()
                })
            })
            .into_iter()
            .sum()
    }
}

fn including_closed() -> Settings {
    Settings {
        include_closed: true,
        ..Settings::default()
    }
}

#[tokio::test]
async fn the_demos_plan_is_what_its_first_sync_sends() {
    for settings in [Settings::default(), including_closed()] {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::in_file(Stage::demo(), settings, &folder).await;
        plan_then_sync(&mut world).await;
        world.assert_all_mirrored();
    }
}

#[tokio::test]
async fn a_wild_projects_plan_is_what_its_first_sync_sends() {
    for seed in 1..=6 {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::in_file(Stage::new(), including_closed(), &folder).await;
        gitlab_sim::seed::rich(&world.source, world.from.project, 30, seed).unwrap();
        plan_then_sync(&mut world).await;
        world.assert_every_issue_mirrored();
    }
}

#[tokio::test]
async fn after_any_edits_the_plan_is_what_the_next_sync_sends() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::demo(), including_closed(), &folder).await;
    world.run().await;
    for round in 0..12 {
        for step in 0..8 {
            world.later(200);
            let from = world.from.project;
            gitlab_sim::seed::edit_something(&world.source, from, 3, 8 * round + step).unwrap();
        }
        world.later(600);
        plan_then_sync(&mut world).await;
    }
    world.assert_every_issue_mirrored();
}

#[tokio::test]
async fn what_happens_to_threads_and_deleted_comments_is_planned() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let iid = world.write(issue(world.alice, "Talk"));
    let [first, second] = ["One.", "Two."].map(|body| world.begin_thread(iid, body));
    let alone = world.say(iid, note(world.alice, "Three."));
    let gone = world.say(iid, note(world.alice, "Wrong."));
    let missed = world.say(iid, note(world.alice, "Wrong, too."));
    world.run().await;
    let copy = world.copy(iid);
    let reply_to = Some(copy.notes().last().unwrap().1.id);
    world.say_on_target(
        copy.issue.iid,
        NoteSpec {
            reply_to,
            ..note(world.tom, "Is it?")
        },
    );
    world.later(600);
    world.resolve(iid, first, true);
    world.answer(iid, second, "Indeed.");
    world.resolve(iid, second, true);
    world.answer(iid, alone, "Not any more.");
    world.unsay(iid, gone);
    world.unsay(iid, missed);
    plan_then_sync(&mut world).await;
    world.assert_mirrored([iid]);
    let steps = world.planned();
    let deleted = |step: &Step| matches!(step, Step::DeleteNote { .. });
    let withdrawn = |step: &Step| matches!(step, Step::WithdrawNote { .. });
    let resolved = |step: &&Step| matches!(step, Step::SetResolved { .. });
    assert!(steps.iter().any(deleted) && steps.iter().any(withdrawn));
    assert_eq!(steps.iter().filter(resolved).count(), 2);
}

#[tokio::test]
async fn on_every_edition_the_plan_is_what_is_sent() {
    for target in [Edition::Ce, Edition::Ultimate] {
        for source in [Edition::Ce, Edition::Ultimate] {
            let stage = Stage::of(source, target);
            let folder = tempfile::tempdir().unwrap();
            let mut world = World::in_file(stage, including_closed(), &folder).await;
            gitlab_sim::seed::rich(&world.source, world.from.project, 20, 7).unwrap();
            world.run().await;
            gitlab_sim::seed::rich(&world.source, world.from.project, 20, 8).unwrap();
            world.later(600);
            plan_then_sync(&mut world).await;
        }
    }
}

#[tokio::test]
async fn a_plan_tells_what_would_be_hidden_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let iids = [true, false].map(|confidential| {
        world.write(IssueSpec {
            confidential,
            ..issue(world.alice, "Seen or not")
        })
    });
    world.run().await;
    world.later(600);
    for (iid, confidential) in iids.into_iter().zip([false, true]) {
        let confidential = Some(confidential);
        world.edit(
            iid,
            IssueEdit {
                confidential,
                ..IssueEdit::default()
            },
        );
    }
    plan_then_sync(&mut world).await;
    world.assert_mirrored(iids);
    let steps = world.planned();
    assert!(steps.contains(&Step::Open) && steps.contains(&Step::Restrict));
}

#[tokio::test]
async fn a_plan_tells_which_texts_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let over = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Long over")
    });
    let iid = world.write(IssueSpec {
        description: Some(format!("See #{over}.")),
        ..issue(world.alice, "In the text and in a comment")
    });
    world.say(iid, note(world.alice, &format!("Again #{over}.")));
    plan_then_sync(&mut world).await;
    world.later(600);
    world.edit(
        over,
        IssueEdit {
            state: Some(IssueState::Opened),
            ..IssueEdit::default()
        },
    );
    let before = world.planned().len();
    plan_then_sync(&mut world).await;
    let steps = world.planned().split_off(before);
    let mended = |step: &&Step| matches!(step, Step::UpdateIssue(_) | Step::UpdateNote { .. });
    assert_eq!(steps.iter().filter(mended).count(), 2, "{steps:?}");
    world.assert_mirrored([over, iid]);
}
