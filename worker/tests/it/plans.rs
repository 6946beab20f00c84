//! The plan is the truth (law 9): what it tells is what is then sent, and it sends nothing itself.

use crate::support::{Stage, World};
use mirror_core::{desired::Place, plan::Step};
use mirror_worker::{Mode, Settings};

/// The kind of each request that a step sends to change something.
fn sent_by(step: &Step) -> Vec<&'static str> {
    match step {
        Step::TransferUpload { .. } => vec!["POST uploads"],
        Step::CreateLabel(_) => vec!["POST labels"],
        Step::CreateIssue(_) => vec!["POST issues"],
        Step::Restrict | Step::UpdateIssue(_) | Step::SetState(_) | Step::Open => {
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
        Step::UpdateNote { .. } => vec!["PUT note"],
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
        _ => panic!("{write}"),
    }
}

async fn plan_then_sync(world: &mut World) {
    world.run().await;
    assert_eq!(
        world.writes(),
        Vec::<String>::new(),
        "a plan writes nothing"
    );
    assert_eq!(world.failures(), Vec::<String>::new());
    let steps = world.planned();
    let planned: Vec<&str> = steps.iter().flat_map(sent_by).collect();
    let cost: u64 = steps.iter().map(Step::requests).sum();
    world.lose_state().await;
    world.run().await;
    let writes = world.writes();
    let sent: Vec<&str> = writes.iter().map(|write| kind_of(write)).collect();
    assert_eq!(planned, sent);
    assert!(cost >= u64::try_from(sent.len()).unwrap());
    world.all_went_well().await;
}

#[tokio::test]
async fn the_demos_plan_is_what_its_first_sync_sends() {
    for include_closed in [false, true] {
        let settings = Settings {
            include_closed,
            ..Settings::default()
        };
        let mut world = World::with(Stage::demo(), settings, Mode::Plan).await;
        plan_then_sync(&mut world).await;
    }
}

#[tokio::test]
async fn a_wild_projects_plan_is_what_its_first_sync_sends() {
    for seed in 1..=6 {
        let settings = Settings {
            include_closed: true,
            ..Settings::default()
        };
        let mut world = World::with(Stage::new(), settings, Mode::Plan).await;
        gitlab_sim::seed::rich(&world.source, world.from.project, 30, seed).unwrap();
        plan_then_sync(&mut world).await;
    }
}
