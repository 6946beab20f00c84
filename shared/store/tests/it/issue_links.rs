//! Links between mirrors.

use crate::world::{World, stories};
use mirror_core::{
    ids::{Iid, MirrorId},
    issue_links::{KnownLink, LinkKind},
};
use mirror_store::StoreError;

stories! {
    a_link_is_known_from_both_its_ends
    a_mirror_carries_links_only_where_that_was_asked_for
}

async fn a_link_is_known_from_both_its_ends(world: World) {
    let (store, mirror) = (&world.store, world.mirror);
    let fence = world.working_on(7).await;
    let blocked = KnownLink {
        kind: LinkKind::IsBlockedBy,
        ours: true,
    };
    let (seven, three) = (Iid(7), Iid(3));
    let save = store.record_issue_link(&fence, mirror, seven, three, blocked);
    save.await.unwrap();
    let of = async |iid| store.issue_links(mirror, iid).await.unwrap();
    assert_eq!(of(seven).await, [(three, blocked)].into());
    let blocks = KnownLink {
        kind: LinkKind::Blocks,
        ..blocked
    };
    assert_eq!(of(three).await, [(seven, blocks)].into());
    assert!(of(Iid(4)).await.is_empty());

    // The other one's job sees it, too, and it is the same link.
    let theirs = KnownLink {
        ours: false,
        ..blocks
    };
    let save = store.record_issue_link(&fence, mirror, three, seven, theirs);
    save.await.unwrap();
    assert_eq!(of(three).await, [(seven, theirs)].into());
    let forget = store.forget_issue_link(&fence, mirror, seven, three);
    forget.await.unwrap();
    assert!(of(three).await.is_empty() && of(seven).await.is_empty());
}

async fn a_mirror_carries_links_only_where_that_was_asked_for(world: World) {
    let (store, mirror) = (&world.store, world.mirror);
    let other = world.another_mirror(2).await;
    assert!(!store.settings(mirror).await.unwrap().issue_links);
    store.set_issue_links(mirror, true).await.unwrap();
    assert!(store.settings(mirror).await.unwrap().issue_links);
    assert!(!store.settings(other).await.unwrap().issue_links);
    let none = store.set_issue_links(MirrorId(99), true).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}
