//! Creating exactly once: intents around every create.

use crate::world::{World, at, stories};
use mirror_core::{
    ids::{Iid, IntentId, NoteId},
    mapping::{Intended, NoteMapping},
};
use mirror_store::StoreError;

stories! {
    an_intent_is_there_until_it_is_recorded
    one_intent_is_open_per_issue
    recording_a_note_opens_the_next_in_one_step
    a_failed_record_leaves_the_intent_open
    an_intent_sent_twice_is_watched_for_a_twin
    logged_time_is_recorded_with_its_intent
    a_decided_intent_is_dropped
}

fn note(source: i64) -> NoteMapping {
    NoteMapping {
        source_note: NoteId(source),
        source_discussion: "discussion".to_owned(),
        target_note: Some(NoteId(900 + source)),
        target_discussion: Some("copy".to_owned()),
        fingerprint: Some("fingerprint".to_owned()),
        skipped: None,
        base: None,
    }
}

fn to_note(source: i64) -> Intended {
    Intended::Note {
        source_note: NoteId(source),
    }
}

fn to_issue() -> Intended {
    Intended::Issue {
        since: Some(at(-30)),
        numbered: false,
        asked: None,
    }
}

async fn an_intent_is_there_until_it_is_recorded(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    world.advance(5);
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_issue());
    let intent = begun.await.unwrap();
    assert_eq!((intent.sent_at, intent.resent), (at(5), false));
    assert_eq!(intent.what, to_issue());
    let open = store.intents(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(open, std::slice::from_ref(&intent));
    let created = world.mapped(1, 501);
    let record = store.record_issue_created(&fence, &created, Some(intent.id));
    record.await.unwrap();
    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.twin_watch(world.mirror).await.unwrap().is_empty());
    let mapping = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(mapping, Some(created));
}

async fn one_intent_is_open_per_issue(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let begin = async |iid, what| store.begin_intent(&fence, world.mirror, iid, what).await;
    let first = begin(Iid(1), to_note(11)).await.unwrap();
    let Err(StoreError::IntentOpen(open)) = begin(Iid(1), to_note(12)).await else {
        panic!("a second one was opened");
    };
    assert_eq!(*open, first);
    begin(Iid(2), to_note(21)).await.unwrap();
}

async fn recording_a_note_opens_the_next_in_one_step(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    store
        .record_issue(&fence, &world.mapped(1, 501))
        .await
        .unwrap();
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_note(11));
    let first = begun.await.unwrap();
    world.advance(3);
    let record = async |iid: Iid, note: NoteMapping, intent, next| {
        let record = store.record_note(&fence, world.mirror, iid, &note, Some(intent), next);
        record.await.unwrap()
    };
    let second = record(Iid(1), note(11), first.id, Some(to_note(12))).await;
    let second = second.unwrap();
    assert_eq!((&second.what, second.sent_at), (&to_note(12), at(3)));
    let open = store.intents(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(open, std::slice::from_ref(&second));
    let next = record(Iid(1), note(12), second.id, None).await;
    assert_eq!(next, None);
    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_failed_record_leaves_the_intent_open(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_note(11));
    let intent = begun.await.unwrap();
    let note = note(11);
    let record = store.record_note(&fence, world.mirror, Iid(1), &note, Some(intent.id), None);
    assert!(matches!(record.await, Err(StoreError::NoSuchIssue(_))));
    assert_eq!(store.intents(world.mirror, Iid(1)).await.unwrap(), [intent]);
    let created = world.mapped(1, 501);
    let unknown = store.record_issue_created(&fence, &created, Some(IntentId(99)));
    assert!(matches!(unknown.await, Err(StoreError::NoSuchIntent)));
    let mapping = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(mapping, None, "nothing of it was written");
}

async fn an_intent_sent_twice_is_watched_for_a_twin(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_issue());
    let intent = begun.await.unwrap();
    world.advance(40);
    let again = Intended::Issue {
        since: Some(at(-30)),
        numbered: false,
        asked: Some(Box::default()),
    };
    let resent = store.intent_resent(&fence, intent.id, &again);
    resent.await.unwrap();
    let open = store.intents(world.mirror, Iid(1)).await.unwrap();
    assert_eq!((open[0].resent, open[0].sent_at), (true, at(40)));
    assert_eq!(open[0].what, again);
    let created = world.mapped(1, 501);
    let record = store.record_issue_created(&fence, &created, Some(intent.id));
    record.await.unwrap();

    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_note(11));
    begun.await.expect("it holds nothing up");
    store.intent_answered(intent.id, 502).await.unwrap();
    let watched = store.twin_watch(world.mirror).await.unwrap();
    assert_eq!(watched.len(), 1);
    assert_eq!(
        (watched[0].id, watched[0].candidate),
        (intent.id, Some(502))
    );
    store.drop_intent(&fence, intent.id).await.unwrap();
    assert!(store.twin_watch(world.mirror).await.unwrap().is_empty());
}

async fn logged_time_is_recorded_with_its_intent(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    store
        .record_issue(&fence, &world.mapped(1, 501))
        .await
        .unwrap();
    let step = Intended::Time {
        step: -90,
        before: 3_600,
    };
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), step.clone());
    let intent = begun.await.unwrap();
    assert_eq!(intent.what, step);
    let record = store.record_time(&fence, world.mirror, Iid(1), 3_510, intent.id);
    record.await.unwrap();
    let mapping = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(mapping.unwrap().carried_spent, Some(3_510));
    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
    let again = store.record_time(&fence, world.mirror, Iid(1), 9, intent.id);
    assert!(matches!(again.await, Err(StoreError::NoSuchIntent)));
    let mapping = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(mapping.unwrap().carried_spent, Some(3_510));
}

async fn a_decided_intent_is_dropped(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let begun = store.begin_intent(&fence, world.mirror, Iid(1), to_issue());
    let intent = begun.await.unwrap();
    store.drop_intent(&fence, intent.id).await.unwrap();
    assert!(
        store
            .intents(world.mirror, Iid(1))
            .await
            .unwrap()
            .is_empty()
    );
    let late = store.intent_answered(intent.id, 501).await;
    assert!(matches!(late, Err(StoreError::NoSuchIntent)));
}
