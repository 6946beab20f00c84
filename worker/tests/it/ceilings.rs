//! Texts and numbers beyond what GitLab takes: cut or left at the source, said, and not fought over.

use crate::support::{World, issue, note};
use gitlab_sim::{IssueEdit, IssueSpec, MAX_NOTES};
use mirror_core::render::{MAX_DESCRIPTION, MAX_NOTE};
use mirror_worker::Notice;

fn lines(characters: usize) -> String {
    let line = "A line of forty characters, as we count.\n";
    line.repeat(characters.div_ceil(line.len()))
        .chars()
        .take(characters)
        .collect()
}

#[tokio::test]
async fn texts_as_long_as_gitlab_takes_are_cut_at_a_line_and_lead_to_the_whole() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        description: Some(lines(MAX_DESCRIPTION - 1)),
        ..issue(world.alice, "Long")
    });
    let said = world.say(iid, note(world.alice, &lines(MAX_NOTE - 1)));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.notices(), [Notice::TextCut, Notice::TextCut]);

    let copy = world.copy(iid);
    let description = copy.issue.description.as_deref().unwrap();
    assert!(description.len() <= MAX_DESCRIPTION);
    assert!(description.contains("as we count.\n\n… (cut here; [the whole text](https://"));
    assert!(description.contains("\n\n---\n\nMirrored from "));
    let (of, body) = copy
        .notes()
        .first()
        .map(|(of, note)| (*of, &note.body))
        .unwrap();
    assert_eq!(of, said);
    assert!(body.chars().count() <= MAX_NOTE);
    assert!(
        body.contains(&format!("#note_{said})")),
        "no link to the whole"
    );
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_text_that_fits_again_is_whole_again() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        description: Some(lines(MAX_DESCRIPTION - 1)),
        ..issue(world.alice, "Long")
    });
    world.run().await;
    world.later(600);
    let edit = IssueEdit {
        description: Some(Some("Short.".to_owned())),
        ..IssueEdit::default()
    };
    world.edit(iid, edit);
    world.run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.notices(), [Notice::TextCut]);
}

#[tokio::test]
async fn comments_beyond_five_thousand_stay_at_the_source_and_cost_one_refusal() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Much ado"));
    world.run().await;
    let there = world.copy(iid).issue;
    // Two of ours have room.
    world.target.edit(|sim| {
        for _ in there.notes.len()..MAX_NOTES - 2 {
            sim.add_note(world.to.project, there.iid, note(world.tom, "Theirs."))
                .unwrap();
        }
    });
    world.later(600);
    for number in 0..6 {
        world.say(iid, note(world.alice, &format!("Number {number}.")));
    }
    world.forget_requests();
    world.run().await;
    assert_eq!(world.copy(iid).notes().len(), 2);
    assert_eq!(world.notices(), [Notice::CommentsFull]);
    let notes = |request: &&String| request.contains("/notes");
    assert_eq!(world.writes().iter().filter(notes).count(), 3);
    world.a_second_run_writes_nothing().await;
    assert_eq!(world.notices(), [Notice::CommentsFull]);
}
