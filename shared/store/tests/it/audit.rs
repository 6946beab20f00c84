//! Who changed what.

use crate::world::{World, stories};
use mirror_store::{AuditEntry, AuditFilter, Audited};
use serde_json::json;

stories! {
    a_change_is_on_record_with_what_was_before_and_after
    changes_are_found_by_who_what_and_when_the_latest_first
}

fn entry<'a>(who: &'a str, what: &'a str, object: &'a str) -> AuditEntry<'a> {
    AuditEntry {
        who,
        what,
        object,
        before: None,
        after: None,
        request_id: None,
        address: None,
    }
}

async fn a_change_is_on_record_with_what_was_before_and_after(world: World) {
    let store = &world.store;
    let entry = AuditEntry {
        before: Some(json!({"every": 300, "label": "a\0b"})),
        after: Some(json!({"every": 60, "labels": ["ä", null]})),
        request_id: Some("00ff"),
        address: Some("192.0.2.1"),
        ..entry("user:anna", "mirror.update", "mirror/7")
    };
    store.audit(&entry).await.unwrap();
    let found = store.audited(&AuditFilter::default(), 10).await.unwrap();
    let expected = Audited {
        id: found[0].id,
        at: store.now(),
        who: "user:anna".to_owned(),
        what: "mirror.update".to_owned(),
        object: "mirror/7".to_owned(),
        before: Some(json!({"every": 300, "label": "a\u{fffd}b"})),
        after: entry.after.clone(),
        request_id: Some("00ff".to_owned()),
        address: Some("192.0.2.1".to_owned()),
    };
    assert_eq!(found, [expected]);
}

async fn changes_are_found_by_who_what_and_when_the_latest_first(world: World) {
    let store = &world.store;
    let changes = [
        ("user:anna", "mirror.update", "mirror/7"),
        ("token:ci", "mirror.pause", "mirror/7"),
        ("user:anna", "token.create", "token/1"),
        ("user:anna", "mirrors", "mirror/8"),
    ];
    for (who, what, object) in changes {
        store.audit(&entry(who, what, object)).await.unwrap();
        world.advance(10);
    }
    let found = async |filter: AuditFilter, limit| {
        let found = store.audited(&filter, limit).await.unwrap();
        let whats = found.iter().map(|one| one.what.clone());
        (whats.collect::<Vec<_>>(), found.last().map(|one| one.id))
    };
    let all = AuditFilter::default();
    let (first, last) = found(all.clone(), 2).await;
    assert_eq!(first, ["mirrors", "token.create"]);
    let after = AuditFilter {
        after: last,
        ..all.clone()
    };
    let (rest, _) = found(after, 2).await;
    assert_eq!(rest, ["mirror.pause", "mirror.update"]);
    let passed = AuditFilter {
        offset: 3,
        ..all.clone()
    };
    assert_eq!(found(passed, 2).await.0, ["mirror.update"]);
    let by_anna = AuditFilter {
        who: Some("user:anna".to_owned()),
        what: Some("mirror.".to_owned()),
        ..all.clone()
    };
    assert_eq!(found(by_anna, 9).await.0, ["mirror.update"]);
    let of_one = AuditFilter {
        object: Some("mirror/7".to_owned()),
        ..all.clone()
    };
    assert_eq!(found(of_one, 9).await.0, ["mirror.pause", "mirror.update"]);
    let lately = AuditFilter {
        since: Some(store.now() - chrono::TimeDelta::seconds(20)),
        ..all
    };
    assert_eq!(found(lately, 9).await.0, ["mirrors", "token.create"]);
}
