//! Reactions, counted in the footer where that is asked for.

use crate::support::{World, issue, note};

impl World {
    fn react(&self, iid: u64, name: &str) {
        let (project, user) = (self.from.project, self.alice);
        self.source
            .edit(|world| world.add_award(project, iid, user, name).unwrap());
    }

    /// The footer's lines of reactions.
    fn told_reactions(&self, of: u64) -> Vec<String> {
        let body = self.copy(of).issue.description.unwrap();
        let lines = body.lines().filter(|line| line.contains("Reactions"));
        lines.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn votes_are_counted_without_a_request_more_and_other_reactions_are_not() {
    for (rules, told) in [
        ("", &[][..]),
        (r#"{"reactions":"none"}"#, &[]),
        (r#"{"reactions":"votes"}"#, &["- Reactions: :thumbsup: 1"]),
    ] {
        let world = World::by(rules).await;
        let iid = world.write(issue(world.alice, "Liked"));
        world.react(iid, "thumbsup");
        world.react(iid, "tada");
        world.forget_requests();
        world.run().await;
        assert_eq!(world.told_reactions(iid), told);
        let asked = world.source_requests();
        assert!(!asked.iter().any(|one| one.contains("award")), "{asked:?}");
        world.at_rest().await;
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn all_reactions_cost_one_request_for_each_issue_that_is_looked_at() {
    let world = World::by(r#"{"reactions":"all"}"#).await;
    let liked = world.write(issue(world.alice, "Liked"));
    let other = world.write(issue(world.alice, "Not"));
    for name in ["tada", "thumbsdown", "heart"] {
        world.react(liked, name);
    }
    world.forget_requests();
    world.run().await;
    let told = ["- Reactions: :thumbsdown: 1, :heart: 1, :tada: 1"];
    assert_eq!(world.told_reactions(liked), told);
    assert_eq!(world.told_reactions(other), [""; 0]);
    let mut asked = world.source_requests();
    asked.retain(|one| one.ends_with("award_emoji"));
    assert_eq!(asked.len(), 2, "{asked:?}");
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_reaction_is_told_once_its_issue_changes() {
    let world = World::by(r#"{"reactions":"votes"}"#).await;
    let iid = world.write(issue(world.alice, "Liked"));
    world.run().await;
    world.at_rest().await;
    // GitLab moves no date for it.
    world.react(iid, "thumbsup");
    world.at_rest().await;
    world.say(iid, note(world.alice, "Yes!"));
    world.run().await;
    assert_eq!(world.told_reactions(iid), ["- Reactions: :thumbsup: 1"]);
    world.at_rest().await;
    world.all_went_well().await;
}
