//! Comments that people write on a copy.

use super::Pair;
use crate::support::note;
use gitlab_sim::{Note, NoteSpec};

impl Pair {
    /// Comments on the original that hold this text.
    fn here(&self, iid: u64, text: &str) -> Vec<Note> {
        let issue = self.there.source_issue(iid);
        let notes = issue.notes.into_iter();
        notes.filter(|note| note.body.contains(text)).collect()
    }

    fn there(&self, copy: u64, text: &str) -> Vec<Note> {
        let issue = self.there.target_issue(copy);
        let notes = issue.notes.into_iter();
        notes.filter(|note| note.body.contains(text)).collect()
    }
}

#[tokio::test]
async fn a_comment_on_the_copy_comes_to_the_original_once() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let there = &pair.there;
    there.say_on_target(copy, note(there.tom, "Seen in B, cc @alice-w."));
    pair.run().await;
    let came = pair.here(iid, "Seen in B");
    assert_eq!(came.len(), 1);
    assert!(
        came[0].body.contains("Tom of the target"),
        "{}",
        came[0].body
    );
    assert_eq!(there.source.world(|sim| sim.notifications().len()), 0);
    pair.is_quiet().await;
    assert_eq!(pair.here(iid, "Seen in B").len(), 1);
    assert_eq!(pair.there(copy, "Seen in B").len(), 1, "and no copy of it");
}

#[tokio::test]
async fn answers_find_their_thread_on_either_side() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let there = &pair.there;
    there.say(
        iid,
        NoteSpec {
            thread: true,
            ..note(there.alice, "A begins.")
        },
    );
    there.say(iid, note(there.alice, "A says alone."));
    pair.run().await;
    there.later(600);
    for text in ["A begins.", "A says alone."] {
        let copied = pair.there(copy, text)[0].id;
        let answer = NoteSpec {
            reply_to: Some(copied),
            ..note(there.tom, &format!("B answers: {text}"))
        };
        there.say_on_target(copy, answer);
    }
    there.say_on_target(
        copy,
        NoteSpec {
            thread: true,
            ..note(there.tom, "B begins.")
        },
    );
    pair.run().await;
    for text in ["A begins.", "A says alone."] {
        let answer = &pair.here(iid, &format!("B answers: {text}"))[0];
        let begin = &pair.here(iid, text)[0];
        assert_eq!(answer.discussion, begin.discussion, "{text}");
    }
    there.later(600);
    let began = pair.here(iid, "B begins.")[0].id;
    there.say(
        iid,
        NoteSpec {
            reply_to: Some(began),
            ..note(there.alice, "A answers.")
        },
    );
    pair.run().await;
    let answer = &pair.there(copy, "A answers.")[0];
    let begin = &pair.there(copy, "B begins.")[0];
    assert_eq!(answer.discussion, begin.discussion);
    pair.is_quiet().await;
    assert_eq!(pair.here(iid, "B answers").len(), 2);
}

#[tokio::test]
async fn edits_and_deletions_follow_and_internal_stays_internal() {
    let pair = Pair::new().await;
    let (iid, copy) = pair.in_line().await;
    let there = &pair.there;
    let said = there.say_on_target(copy, note(there.tom, "First."));
    let gone = there.say_on_target(copy, note(there.tom, "To be deleted."));
    there.say_on_target(
        copy,
        NoteSpec {
            internal: true,
            ..note(there.tom, "Among us.")
        },
    );
    pair.run().await;
    assert!(pair.here(iid, "Among us.")[0].internal);
    there.later(600);
    let (to, tom) = (there.to.project, there.tom);
    there.target.edit(|sim| {
        sim.edit_note(to, copy, said, tom, "First, edited.")
            .unwrap();
        sim.delete_note(to, copy, gone, tom).unwrap();
    });
    pair.run().await;
    assert_eq!(pair.here(iid, "First, edited.").len(), 1);
    assert_eq!(pair.here(iid, "To be deleted.").len(), 0);
    pair.is_quiet().await;
}
