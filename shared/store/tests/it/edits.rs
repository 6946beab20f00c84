//! What somebody edited on the target, and what a person decides about it.

use crate::world::{World, stories};
use mirror_core::{
    ids::{Iid, MirrorId, NoteId},
    mapping::{IssueMapping, MappingStatus},
    merge::{Edit, EditPolicy, Field, Resolution, Sides, What},
    outcome::Outcome,
};
use mirror_store::{End, Fence, StoreError};

stories! {
    what_was_edited_comes_back_as_it_was_recorded
    a_decision_is_owed_and_stays_while_both_sides_do
    nothing_is_decided_where_nothing_was_edited
    what_is_out_of_sight_is_listed_without_its_values
    the_policy_is_kept_for_each_mirror
    edits_that_are_overwritten_from_now_on_are_owed
    what_is_forgotten_takes_its_edits_along
}

fn title(conflict: bool, target: &str) -> Edit {
    Edit {
        what: What::Field(Field::Title),
        conflict,
        sides: Sides {
            source: "s".to_owned(),
            target: target.to_owned(),
        },
        values: Some(("Ours".to_owned(), target.to_owned())),
    }
}

fn comment(note: i64) -> Edit {
    Edit {
        what: What::Comment(NoteId(note)),
        conflict: false,
        sides: Sides {
            source: "s".to_owned(),
            target: "t".to_owned(),
        },
        values: None,
    }
}

impl World {
    async fn keep(&self, fence: &Fence, mapping: &IssueMapping, edits: &[Edit]) {
        let kept = self.store.record_merged(fence, mapping, edits, &[]);
        kept.await.unwrap();
    }

    async fn kept(&self, iid: i64) -> Vec<(Edit, Option<Resolution>)> {
        let kept = self.store.edits(self.mirror, Iid(iid)).await.unwrap();
        kept.into_iter()
            .map(|kept| (kept.edit, kept.resolution))
            .collect()
    }

    async fn decide(&self, iid: i64, resolution: Resolution) -> u64 {
        let decided = self
            .store
            .resolve_conflict(self.mirror, Iid(iid), resolution);
        decided.await.unwrap()
    }
}

async fn what_was_edited_comes_back_as_it_was_recorded(world: World) {
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    let edits = [title(true, "t"), comment(7), comment(8)];
    world.keep(&fence, &mapping, &edits).await;
    let found = world.store.edits(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(found[0].source_iid, Iid(1));
    assert_eq!(found[0].target_iid, Some(Iid(501)));
    let found_at = found[0].found_at;
    let told: Vec<Edit> = found.into_iter().map(|kept| kept.edit).collect();
    assert_eq!(told, edits);
    let all = world.store.all_edits(world.mirror).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(world.store.edits(world.mirror, Iid(2)).await.unwrap(), []);

    world.advance(30);
    let over = [comment(7).what];
    let again = [title(false, "t2")];
    let kept = world.store.record_merged(&fence, &mapping, &again, &over);
    kept.await.unwrap();
    let found = world.store.edits(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(found[0].found_at, found_at, "first found is kept");
    let told: Vec<Edit> = found.into_iter().map(|kept| kept.edit).collect();
    assert_eq!(told, [title(false, "t2"), comment(8)]);
}

async fn a_decision_is_owed_and_stays_while_both_sides_do(world: World) {
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    world.keep(&fence, &mapping, &[title(true, "t")]).await;
    let modified = world.store.target_modified(world.mirror).await.unwrap();
    assert_eq!(modified, [Iid(1)]);
    assert_eq!(world.decide(1, Resolution::UseTarget).await, 1);
    let decided = Some(Resolution::UseTarget);
    // The job that ran meanwhile found the same, and does not undo it.
    world.keep(&fence, &mapping, &[title(true, "t")]).await;
    assert_eq!(world.kept(1).await, [(title(true, "t"), decided)]);
    assert_eq!(world.store.target_modified(world.mirror).await.unwrap(), []);
    let outcome = Outcome::Unchanged;
    let end = End::Done { outcome: &outcome };
    world.store.end(&fence, end).await.unwrap();
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!(due.pending, 1, "its job is owed");

    let fence = world.start_next().await.fence;
    world.keep(&fence, &mapping, &[title(true, "t2")]).await;
    assert_eq!(world.kept(1).await, [(title(true, "t2"), None)]);
}

async fn nothing_is_decided_where_nothing_was_edited(world: World) {
    assert_eq!(world.decide(1, Resolution::UseSource).await, 0);
    assert_eq!(world.store.due(world.mirror).await.unwrap().pending, 0);
    let none = world
        .store
        .resolve_conflict(MirrorId(99), Iid(1), Resolution::UseSource)
        .await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}

async fn what_is_out_of_sight_is_listed_without_its_values(world: World) {
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    world.keep(&fence, &mapping, &[title(true, "t")]).await;
    let hidden = IssueMapping {
        status: MappingStatus::Skipped("gone, or hidden from the token".to_owned()),
        ..mapping
    };
    world.store.record_issue(&fence, &hidden).await.unwrap();
    let (edit, _) = world.kept(1).await.remove(0);
    assert_eq!(edit.values, None);
}

async fn the_policy_is_kept_for_each_mirror(world: World) {
    let store = &world.store;
    let other = world.another_mirror(2).await;
    let protect = EditPolicy::Protect;
    store.set_edit_policy(other, protect).await.unwrap();
    assert_eq!(store.edit_policy(other).await.unwrap(), protect);
    let first = store.edit_policy(world.mirror).await.unwrap();
    assert_eq!(first, EditPolicy::Overwrite);
    let none = store.set_edit_policy(MirrorId(99), protect).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
    let none = store.edit_policy(MirrorId(99)).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}

async fn edits_that_are_overwritten_from_now_on_are_owed(world: World) {
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    world.keep(&fence, &mapping, &[title(true, "t")]).await;
    let outcome = Outcome::Unchanged;
    let end = End::Done { outcome: &outcome };
    world.store.end(&fence, end).await.unwrap();
    let store = &world.store;
    let set = store.set_edit_policy(world.mirror, EditPolicy::Protect);
    set.await.unwrap();
    assert_eq!(world.kept(1).await.len(), 1);
    let set = store.set_edit_policy(world.mirror, EditPolicy::Overwrite);
    set.await.unwrap();
    assert_eq!(world.kept(1).await, []);
    assert_eq!(store.due(world.mirror).await.unwrap().pending, 1);
    let mapping = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(mapping.unwrap().fingerprint, None);
}

async fn what_is_forgotten_takes_its_edits_along(world: World) {
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);
    world.keep(&fence, &mapping, &[title(true, "t")]).await;
    let forget = world.store.forget_issue(&fence, world.mirror, Iid(1));
    forget.await.unwrap();
    assert_eq!(world.store.all_edits(world.mirror).await.unwrap(), []);
}
