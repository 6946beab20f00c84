use super::{Gitlab, comment, created};
use gitlab_sim::{NoteSpec, Sim};
use mirror_gitlab::{ErrorKind, NewNote, NoteReply};

#[tokio::test]
async fn comments_and_threads_are_written_read_edited_and_deleted() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    let (single, none) = created(
        client
            .create_note(project, iid, &comment("single"))
            .await
            .unwrap(),
    );
    assert_eq!(none, None);
    let (first, thread) = created(
        client
            .start_discussion(project, iid, &comment("first"))
            .await
            .unwrap(),
    );
    let thread = thread.unwrap();
    created(
        client
            .reply(project, iid, &thread, &comment("second"))
            .await
            .unwrap(),
    );
    created(
        client
            .update_note(project, iid, first.id, "first, edited")
            .await
            .unwrap(),
    );

    let found = client.discussions(project, iid).await.unwrap();
    let shape: Vec<Vec<&str>> = found
        .value
        .iter()
        .filter(|thread| !thread.notes[0].system)
        .map(|thread| thread.notes.iter().map(|note| note.body.as_str()).collect())
        .collect();
    assert_eq!(shape, [vec!["single"], vec!["first, edited", "second"]]);
    assert!(found.clock.is_some());

    assert_eq!(
        client.note(project, iid, single.id).await.unwrap().body,
        "single"
    );
    assert_eq!(
        client.comments_desc(project, iid).await.unwrap().value[0].body,
        "second"
    );
    client.delete_note(project, iid, single.id).await.unwrap();
    let gone = client.note(project, iid, single.id).await.unwrap_err();
    assert_eq!(*gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn threads_are_resolved_and_opened_again_and_what_is_none_is_refused() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    created(
        client
            .create_note(project, iid, &comment("single"))
            .await
            .unwrap(),
    );
    let (_, thread) = created(
        client
            .start_discussion(project, iid, &comment("first"))
            .await
            .unwrap(),
    );
    let thread = thread.unwrap();
    let states = async || -> Vec<Option<bool>> {
        let found = client.discussions(project, iid).await.unwrap().value;
        let threads = found.iter().filter(|thread| !thread.notes[0].system);
        threads.map(|thread| thread.resolved()).collect()
    };
    assert_eq!(states().await, [None, Some(false)]);
    for resolved in [true, false] {
        let echo = client
            .resolve_discussion(project, iid, &thread, resolved)
            .await
            .unwrap();
        assert_eq!(echo.resolved(), Some(resolved));
        assert_eq!(states().await, [None, Some(resolved)]);
    }
    client
        .resolve_discussion(project, iid, &thread, true)
        .await
        .unwrap();
    created(
        client
            .reply(project, iid, &thread, &comment("not yet"))
            .await
            .unwrap(),
    );
    assert_eq!(states().await, [None, Some(false)]);
    let found = client.discussions(project, iid).await.unwrap().value;
    let single = found.iter().find(|thread| thread.individual).unwrap();
    let refused = client
        .resolve_discussion(project, iid, &single.id, true)
        .await
        .unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn internal_thread_stays_internal_with_its_replies() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    created(
        client
            .create_note(project, iid, &comment("public"))
            .await
            .unwrap(),
    );
    let secret = NewNote {
        internal: true,
        ..comment("for the team")
    };
    let (note, thread) = created(
        client
            .start_discussion(project, iid, &secret)
            .await
            .unwrap(),
    );
    assert!(note.internal);
    let (reply, _) = created(
        client
            .reply(project, iid, &thread.unwrap(), &secret)
            .await
            .unwrap(),
    );
    assert!(reply.internal);
}

#[tokio::test]
async fn text_that_is_executed_is_an_alarm() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    let reply = client
        .create_note(project, iid, &comment("/close"))
        .await
        .unwrap();
    assert_eq!(reply, NoteReply::CommandsOnly);
    let reply = client
        .start_discussion(project, iid, &comment("/reopen"))
        .await
        .unwrap();
    assert_eq!(reply, NoteReply::CommandsOnly);
    let mixed = client
        .create_note(project, iid, &comment("words\n/close"))
        .await
        .unwrap();
    assert!(
        matches!(mixed, NoteReply::Created { commands: true, .. }),
        "{mixed:?}"
    );
}

#[tokio::test]
async fn threads_of_many_pages_are_complete_although_lines_among_them_are_hidden() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let iid = gitlab.issue().await;
    let number = iid.0.try_into().unwrap();
    gitlab.sim.edit(|world| {
        for count in 0..230 {
            let spec = NoteSpec {
                author: gitlab.bot,
                body: format!("note {count}"),
                ..NoteSpec::default()
            };
            world.add_note(gitlab.id(), number, spec).unwrap();
        }
    });
    let found = gitlab
        .client
        .discussions(gitlab.project, iid)
        .await
        .unwrap()
        .value;
    let written = found
        .iter()
        .filter(|thread| !thread.notes[0].system)
        .count();
    assert_eq!(written, 230);
}
