//! People who edit a copy while it is being written.

use crate::support::with_an_edit_due;
use gitlab_sim::{HookVerdict, IssueEdit, IssueState, Phase};
use std::sync::Arc;

#[tokio::test]
async fn an_edit_between_our_look_and_our_write_is_put_right_by_the_next_scan() {
    let world = with_an_edit_due().await;
    let copy = world.copy(1).issue.iid;
    let (sim, to, tom) = (world.target.clone(), world.to.project, world.tom);
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.method == "PUT" {
            sim.clear_hook();
            let edit = IssueEdit {
                state: Some(IssueState::Closed),
                ..IssueEdit::default()
            };
            sim.edit(|world| world.edit_issue(to, copy, tom, edit))
                .unwrap();
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    world.later(300);
    world.run().await;
    world.assert_mirrored([1]);
    world.later(300);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
}
