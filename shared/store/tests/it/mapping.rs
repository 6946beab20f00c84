//! What is known of issues, notes and files.

use crate::world::{World, at, stories, target_issue};
use mirror_core::{
    desired::Observed,
    ids::{Iid, IssueId, NoteId, ProjectId, UserId},
    issue::{IssueType, State},
    job::Priority,
    mapping::{IssueMapping, MappingStatus, NoteMapping, SourceRead, UploadKey, UploadOutcome},
    merge::{Base, Sides},
};
use mirror_store::{Owe, Side, StoreError, TargetWalk};
use std::time::Duration;

stories! {
    a_mapping_comes_back_as_it_was_recorded
    many_mappings_are_found_by_their_numbers
    a_mapping_is_found_by_when_either_side_changed
    what_was_read_too_soon_after_a_change_is_not_settled
    a_recorded_target_is_never_replaced
    a_target_mirrors_one_issue
    a_note_comes_back_as_it_was_recorded
    a_notes_target_is_never_replaced
    a_forgotten_note_is_as_if_it_had_never_been
    a_thread_is_kept_as_it_was_left
    the_first_transfer_of_a_file_stands
    times_finer_than_a_microsecond_are_cut
    mappings_are_found_by_their_targets
    what_a_listing_showed_of_a_target_is_kept
    an_edit_that_was_seen_is_owed_or_not_seen
    forgotten_fingerprints_make_the_next_job_compare
}

async fn a_mapping_comes_back_as_it_was_recorded(world: World) {
    let fence = world.working_on(0).await;
    let statuses = [
        MappingStatus::Pending,
        MappingStatus::Synced,
        MappingStatus::Skipped("closed before it was first mirrored".to_owned()),
        MappingStatus::Blocked("a person took it out of the mirror".to_owned()),
        MappingStatus::Failed("the target answered 500".to_owned()),
    ];
    let mut expected = Vec::new();
    for (iid, status) in (1..).zip(statuses) {
        let bare = IssueMapping {
            read: None,
            carried_spent: None,
            status: status.clone(),
            ..world.mapping(iid)
        };
        let full = IssueMapping {
            owned_labels: ["Bug", "ünïcode, no", "a\"b"].map(str::to_owned).into(),
            owned_assignees: [7, 1_000_000_007].map(UserId).into(),
            carried_spent: Some(-90),
            base: Some(base()),
            is_reverse: true,
            status,
            ..world.mapped(iid, 500 + iid)
        };
        for mapping in [&bare, &full] {
            world.store.record_issue(&fence, mapping).await.unwrap();
            let found = world.store.issue_mapping(world.mirror, Iid(iid)).await;
            assert_eq!(found.unwrap().as_ref(), Some(mapping));
        }
        expected.push(full);
    }
    let all = world.store.all_mappings(world.mirror).await.unwrap();
    assert_eq!(all, expected);
    let none = world.store.issue_mapping(world.mirror, Iid(99)).await;
    assert_eq!(none.unwrap(), None);
}

async fn many_mappings_are_found_by_their_numbers(world: World) {
    let fence = world.working_on(0).await;
    for iid in 1..=250 {
        let mapping = world.mapping(iid);
        world.store.record_issue(&fence, &mapping).await.unwrap();
    }
    let asked: Vec<Iid> = (201..=700).map(Iid).collect();
    let found = world
        .store
        .issue_mappings_by_iid(world.mirror, &asked)
        .await;
    let found = found.unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(found[&Iid(250)], world.mapping(250));
    let none = world.store.issue_mappings_by_iid(world.mirror, &[]).await;
    assert!(none.unwrap().is_empty());
}

async fn a_mapping_is_found_by_when_either_side_changed(world: World) {
    let fence = world.working_on(0).await;
    for (iid, source, target) in [(1, 10, 300), (2, 20, 200), (3, 30, 100)] {
        let mut mapping = world.mapped(iid, 500 + iid);
        mapping.read.as_mut().unwrap().updated_at = at(source);
        mapping.target.as_mut().unwrap().updated_at = at(target);
        world.store.record_issue(&fence, &mapping).await.unwrap();
    }
    let seen = async |side, since| -> Vec<i64> {
        let found = world
            .store
            .mappings_seen_since(world.mirror, side, at(since));
        let found = found.await.unwrap();
        found
            .into_iter()
            .map(|mapping| mapping.source_iid.0)
            .collect()
    };
    assert_eq!(seen(Side::Source, 20).await, [2, 3], "inclusive");
    assert_eq!(seen(Side::Source, 31).await, [0i64; 0]);
    assert_eq!(seen(Side::Target, 200).await, [2, 1]);
}

async fn what_was_read_too_soon_after_a_change_is_not_settled(world: World) {
    let fence = world.working_on(0).await;
    for (iid, lag) in [(1, -5), (2, 60), (3, 61), (4, 1_000_000)] {
        let mut mapping = world.mapping(iid);
        mapping.read = Some(SourceRead {
            read_at: at(50 + lag),
            updated_at: at(50),
            notes_count: 0,
        });
        world.store.record_issue(&fence, &mapping).await.unwrap();
    }
    let mut never_read = world.mapping(5);
    never_read.read = None;
    world.store.record_issue(&fence, &never_read).await.unwrap();
    let slack = Duration::from_secs(60);
    let unsettled = world.store.unsettled(world.mirror, slack).await.unwrap();
    assert_eq!(unsettled, [Iid(1), Iid(2)]);
}

async fn a_recorded_target_is_never_replaced(world: World) {
    let fence = world.working_on(0).await;
    let store = &world.store;
    let mapped = world.mapped(1, 501);
    store.record_issue(&fence, &mapped).await.unwrap();
    let other = world.mapped(1, 502);
    let none = world.mapping(1);
    for stale in [&other, &none] {
        let results = [
            store.record_issue(&fence, stale).await,
            store.record_issue_created(&fence, stale, None).await,
        ];
        for result in results {
            let Err(StoreError::AlreadyMapped { source_iid, mapped }) = result else {
                panic!("{result:?}");
            };
            assert_eq!((source_iid, mapped), (Iid(1), IssueId(501)));
        }
    }
    let kept = store.issue_mapping(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(kept, Some(mapped));
}

async fn a_target_mirrors_one_issue(world: World) {
    let fence = world.working_on(0).await;
    let store = &world.store;
    let first = world.mapped(1, 501);
    store.record_issue(&fence, &first).await.unwrap();
    let second = IssueMapping {
        target: Some(target_issue(501)),
        ..world.mapping(2)
    };
    let taken = store.record_issue(&fence, &second).await;
    assert!(matches!(taken, Err(StoreError::TargetTaken)), "{taken:?}");
}

fn base() -> Base {
    let issue = Observed {
        title: "ünïcode \"x\"".to_owned(),
        description: "d".to_owned(),
        state: State::Opened,
        issue_type: IssueType::Issue,
        due_date: None,
        confidential: false,
        weight: None,
        has_weight: true,
        labels: ["Bug"].map(str::to_owned).into(),
        estimate: 0,
        spent: 0,
        locked: false,
        assignees: Default::default(),
    };
    Base::created(&issue, &issue)
}

fn note(source: i64, target: Option<i64>) -> NoteMapping {
    NoteMapping {
        source_note: NoteId(source),
        source_discussion: format!("discussion-{source}"),
        target_note: target.map(NoteId),
        target_discussion: target.map(|target| format!("copy-{target}")),
        fingerprint: target.map(|target| format!("fingerprint of {target}")),
        skipped: target
            .is_none()
            .then(|| "too long for the target".to_owned()),
        base: target.map(|target| Sides {
            source: format!("source of {target}"),
            target: format!("shown of {target}"),
        }),
    }
}

async fn a_note_comes_back_as_it_was_recorded(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let unknown = note(1, None);
    let early = store.record_note(&fence, world.mirror, Iid(1), &unknown, None, None);
    assert!(matches!(early.await, Err(StoreError::NoSuchIssue(Iid(1)))));
    store
        .record_issue(&fence, &world.mapped(1, 501))
        .await
        .unwrap();
    let notes = [note(11, Some(91)), note(12, None), note(13, Some(93))];
    for note in notes.iter().rev() {
        let record = store.record_note(&fence, world.mirror, Iid(1), note, None, None);
        assert_eq!(record.await.unwrap(), None);
    }
    let found = store.note_mappings(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(found, notes);
}

async fn a_notes_target_is_never_replaced(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    store
        .record_issue(&fence, &world.mapped(1, 501))
        .await
        .unwrap();
    let record = async |note: NoteMapping| {
        let record = store.record_note(&fence, world.mirror, Iid(1), &note, None, None);
        record.await.map(drop)
    };
    record(note(11, None)).await.unwrap();
    record(note(11, Some(91))).await.unwrap();
    for stale in [note(11, Some(92)), note(11, None)] {
        let refused = record(stale).await;
        let Err(StoreError::NoteMapped { mapped, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(mapped, NoteId(91));
    }
    let taken = record(note(12, Some(91))).await;
    assert!(matches!(taken, Err(StoreError::TargetTaken)), "{taken:?}");
}

async fn a_forgotten_note_is_as_if_it_had_never_been(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    for iid in [1, 2] {
        let mapping = world.mapped(iid, 500 + iid);
        store.record_issue(&fence, &mapping).await.unwrap();
        for note in [note(11, Some(91)), note(12, Some(92))] {
            let record = store.record_note(&fence, world.mirror, Iid(iid), &note, None, None);
            record.await.unwrap();
        }
    }
    let forget = store.forget_note(&fence, world.mirror, Iid(1), NoteId(11));
    forget.await.unwrap();
    let found = store.note_mappings(world.mirror, Iid(1)).await.unwrap();
    assert_eq!(found, [note(12, Some(92))]);
    let other = store.note_mappings(world.mirror, Iid(2)).await.unwrap();
    assert_eq!(other.len(), 2, "another issue's");
    let again = note(11, Some(93));
    let record = store.record_note(&fence, world.mirror, Iid(1), &again, None, None);
    record.await.unwrap();
}

async fn a_thread_is_kept_as_it_was_left(world: World) {
    let fence = world.working_on(1).await;
    let store = &world.store;
    let record = async |iid, thread: &str, resolved| {
        store
            .record_thread(&fence, world.mirror, Iid(iid), thread, resolved)
            .await
    };
    let early = record(1, "a", true).await;
    assert!(matches!(early, Err(StoreError::NoSuchIssue(Iid(1)))));
    for iid in [1, 2] {
        let mapping = world.mapped(iid, 500 + iid);
        store.record_issue(&fence, &mapping).await.unwrap();
    }
    for (iid, thread, resolved) in [
        (1, "a", true),
        (1, "b", true),
        (1, "b", false),
        (2, "a", false),
    ] {
        record(iid, thread, resolved).await.unwrap();
    }
    let found = store.threads(world.mirror, Iid(1)).await.unwrap();
    let wanted =
        [("a", true), ("b", false)].map(|(thread, resolved)| (thread.to_owned(), resolved));
    assert_eq!(found, wanted.into());
}

async fn the_first_transfer_of_a_file_stands(world: World) {
    let store = &world.store;
    let key = |filename: &str| UploadKey {
        source_instance: world.source,
        source_project: ProjectId(1),
        secret: "0123456789abcdef".to_owned(),
        filename: filename.to_owned(),
        target_instance: world.target,
        target_project: ProjectId(1_001),
    };
    let transferred = |url: &str| UploadOutcome::Transferred {
        url: url.to_owned(),
        size: 5_000_000_000,
    };
    let refused = UploadOutcome::Refused {
        reason: "larger than the target takes".to_owned(),
    };
    let plan = key("a plan.png");
    let first = transferred("/uploads/aa/plan.png");
    let sequence = [
        (&refused, &refused),
        (&first, &first),
        (&transferred("/uploads/bb/plan.png"), &first),
        (&refused, &first),
    ];
    for (outcome, stands) in sequence {
        let recorded = store.record_upload(&plan, outcome).await.unwrap();
        assert_eq!(&recorded, stands);
    }
    let known = store
        .uploads(&[key("other.png"), plan.clone()])
        .await
        .unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[&plan], first);
}

async fn times_finer_than_a_microsecond_are_cut(world: World) {
    let fence = world.working_on(0).await;
    world.clock.advance(Duration::from_nanos(1_234_567_891));
    assert_eq!(world.store.now(), at(1) + Duration::from_micros(234_567));
    let mut mapping = world.mapping(1);
    let fine = at(50) + Duration::from_nanos(123_456_789);
    mapping.read.as_mut().unwrap().updated_at = fine;
    world.store.record_issue(&fence, &mapping).await.unwrap();
    let found = world
        .store
        .issue_mapping(world.mirror, Iid(1))
        .await
        .unwrap();
    let read = found.unwrap().read.unwrap();
    assert_eq!(read.updated_at, at(50) + Duration::from_micros(123_456));
}

async fn mappings_are_found_by_their_targets(world: World) {
    let fence = world.working_on(0).await;
    for iid in 1..=3 {
        let mapping = world.mapped(iid, 500 + iid);
        world.store.record_issue(&fence, &mapping).await.unwrap();
    }
    let asked = [503, 501, 777].map(IssueId);
    let found = world
        .store
        .issue_mappings_by_target(world.mirror, &asked)
        .await;
    let found = found.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&IssueId(503)], world.mapped(3, 503));
}

async fn what_a_listing_showed_of_a_target_is_kept(world: World) {
    let fence = world.working_on(0).await;
    let mapped = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapped).await.unwrap();
    let mut seen = target_issue(501);
    seen.updated_at = at(900);
    seen.notes_count = 8;
    let nobodys = target_issue(777);
    let listing = [seen.clone(), nobodys];
    let walk = TargetWalk {
        seen: &listing,
        ..TargetWalk::default()
    };
    let recorded = world.store.record_target_walk(&fence, world.mirror, &walk);
    recorded.await.unwrap();
    let expected = IssueMapping {
        target: Some(seen),
        ..mapped
    };
    let all = world.store.all_mappings(world.mirror).await.unwrap();
    assert_eq!(all, [expected]);
}

async fn an_edit_that_was_seen_is_owed_or_not_seen(world: World) {
    let store = &world.store;
    let lost = world.working_on(0).await;
    let fence = world.working_on(1).await;
    let mapped = world.mapped(2, 502);
    store.record_issue(&fence, &mapped).await.unwrap();
    store.handback(&lost).await.unwrap();
    let seen = [mirror_core::mapping::TargetIssue {
        updated_at: at(900),
        ..target_issue(502)
    }];
    let owed = [Owe::changed(world.issue(2), Priority::Incremental)];
    let walk = TargetWalk {
        seen: &seen,
        edited: &[Iid(2)],
        owed: &owed,
        ..TargetWalk::default()
    };
    let due = store.due(world.mirror).await.unwrap().pending;
    let refused = store.record_target_walk(&lost, world.mirror, &walk).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
    let all = store.all_mappings(world.mirror).await.unwrap();
    assert_eq!(all, std::slice::from_ref(&mapped));
    assert_eq!(store.due(world.mirror).await.unwrap().pending, due);
    store
        .record_target_walk(&fence, world.mirror, &walk)
        .await
        .unwrap();
    let [seen] = seen;
    let expected = IssueMapping {
        target: Some(seen),
        fingerprint: None,
        ..mapped
    };
    assert_eq!(store.all_mappings(world.mirror).await.unwrap(), [expected]);
    assert_eq!(store.due(world.mirror).await.unwrap().pending, due + 1);
}

async fn forgotten_fingerprints_make_the_next_job_compare(world: World) {
    let fence = world.working_on(0).await;
    let store = &world.store;
    for iid in 1..=3 {
        store
            .record_issue(&fence, &world.mapped(iid, 500 + iid))
            .await
            .unwrap();
        let note = note(10 + iid, Some(90 + iid));
        let record = store.record_note(&fence, world.mirror, Iid(iid), &note, None, None);
        record.await.unwrap();
    }
    let remembered = async || {
        let mut remembered = Vec::new();
        for mapping in store.all_mappings(world.mirror).await.unwrap() {
            let notes = store
                .note_mappings(world.mirror, mapping.source_iid)
                .await
                .unwrap();
            let note = notes[0].fingerprint.is_some();
            remembered.push((mapping.fingerprint.is_some(), note));
        }
        remembered
    };
    let one = [Iid(2)];
    let forget = store.forget_fingerprints(&fence, world.mirror, Some(&one));
    forget.await.unwrap();
    assert_eq!(
        remembered().await,
        [(true, true), (false, false), (true, true)]
    );
    let forget = store.forget_fingerprints(&fence, world.mirror, None);
    forget.await.unwrap();
    assert_eq!(remembered().await, [(false, false); 3]);
}
