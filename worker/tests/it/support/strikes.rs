//! Requests that go wrong, and worlds in which they can.

use super::{World, issue, note};
use gitlab_sim::{Fault, FaultRule, IssueEdit, NoteSpec, When};

impl World {
    /// The next such request goes wrong.
    pub(crate) fn strike(&self, method: &str, path: &str, fault: Fault) {
        let rule = FaultRule::new(method, path, When::Next(1), fault);
        self.target.fail(rule);
    }

    /// How many such requests the target got.
    pub(crate) fn count(&self, method: &str, end: &str) -> usize {
        let requests = self.target_requests();
        let these = requests
            .iter()
            .filter(|request| request.starts_with(method));
        these.filter(|request| request.ends_with(end)).count()
    }
}

/// An issue with three comments, one of them a thread's answer.
pub(crate) fn a_talk(world: &World) -> u64 {
    let alice = world.alice;
    let iid = world.write(issue(alice, "A talk"));
    let first = world.say(
        iid,
        NoteSpec {
            thread: true,
            ..note(alice, "One.")
        },
    );
    world.say(iid, note(alice, "Two."));
    world.say(
        iid,
        NoteSpec {
            reply_to: Some(first),
            ..note(alice, "Three.")
        },
    );
    iid
}

/// A mirror in line, and an edit that is due.
pub(crate) async fn with_an_edit_due() -> World {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    world.later(600);
    let title = Some("Edited".to_owned());
    world.edit(
        iid,
        IssueEdit {
            title,
            ..IssueEdit::default()
        },
    );
    world
}
