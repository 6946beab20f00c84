//! People of the source who have an account on the target are mentioned there, where that is asked for.

use crate::{
    people::{MAP, begun},
    support::{Stage, issue, note},
};
use gitlab_sim::{IssueSpec, UserId, UserSpec};
use mirror_worker::Notice;

const MENTIONS: &str = r#"{"users":{"mentions":true,"map":{"alice-w":"anna","bob":"ben"}}}"#;

#[tokio::test]
async fn who_is_mentioned_is_told_where_that_is_asked_for_and_nobody_else() {
    let (world, cast) = begun(Stage::new(), MENTIONS).await;
    world
        .target
        .add_user(UserSpec::new("carol", "Another Carol"));
    let iid = world.write(IssueSpec {
        description: Some("@alice-w, please. @carol knows; so does `@bob`.".to_owned()),
        ..issue(world.alice, "@bob: title")
    });
    world.say(iid, note(world.alice, "And @Bob, @anna, @all!"));
    world.run().await;
    let told = world.target.world(|sim| sim.notifications().to_vec());
    let told: Vec<(&str, &[UserId])> = told
        .iter()
        .map(|one| (one.mentioned.as_str(), one.recipients.as_slice()))
        .collect();
    assert_eq!(told, [("anna", &[cast.anna][..]), ("ben", &[cast.ben][..])]);
    let body = world.copy(iid).issue.description.unwrap();
    assert!(body.contains("@anna, please. \\@carol knows"), "{body}");
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_mention_of_somebody_unknown_reaches_no_group_of_that_name() {
    let rules = r#"{"users":{"mentions":true,"map":{"bob":"team"}}}"#;
    let (world, _) = begun(Stage::new(), rules).await;
    let iid = world.write(IssueSpec {
        description: Some("@bob and @team".to_owned()),
        ..issue(world.alice, "Quiet")
    });
    world.run().await;
    world.assert_mirrored([iid]);
    world.assert_no_noise();
    let unknown = Notice::NoSuchUser {
        from: "bob".to_owned(),
        to: "team".to_owned(),
    };
    assert_eq!(world.notices(), [unknown]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn with_a_map_alone_nobody_is_mentioned() {
    let (world, _) = begun(Stage::new(), MAP).await;
    let iid = world.write(IssueSpec {
        description: Some("@alice-w and @bob".to_owned()),
        ..issue(world.alice, "Quiet")
    });
    world.say(iid, note(world.alice, "@bob"));
    world.run().await;
    world.assert_mirrored([iid]);
    world.assert_no_noise();
    world.all_went_well().await;
}
