//! The client against a GitLab that nobody wrote for it.

use crate::support::{Lab, TOKEN};
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use gitlab_sim::{
    AccessLevel, ConnectionLost, Content, Fault, FaultRule, IssueSpec, NoteSpec, ProjectSpec,
    Server, Sim, SimBuilder, TokenSpec, UserId, UserSpec, When,
};
use http::{Request, Response};
use mirror_core::{
    ids::{Iid, ProjectId},
    issue::{Label, State, TimeStats},
    project::Role,
};
use mirror_gitlab::{
    Client, CreatedLabel, DirectTransport, Error, ErrorKind, Fate, IssueChange, IssueQuery,
    NewIssue, NewNote, NoteReply, StateEvent, TokenFault,
};
use std::sync::Arc;
use tower::ServiceExt;

struct Gitlab {
    sim: Sim,
    server: Server,
    client: Client,
    bot: UserId,
    project: ProjectId,
}

impl Gitlab {
    async fn start(builder: SimBuilder) -> Self {
        let sim = builder.build();
        let bot = sim.add_user(UserSpec::new("bot", "Bot"));
        let members = [(bot, AccessLevel::Owner)];
        let project = sim.add_project(ProjectSpec::new("shop/checkout", &members));
        sim.add_token(bot, TokenSpec::api(TOKEN));
        let server = sim.serve("127.0.0.1:0").await.unwrap();
        let client = Lab::new().client(&server.url());
        Self {
            sim,
            server,
            client,
            bot,
            project: ProjectId(project.try_into().unwrap()),
        }
    }

    fn id(&self) -> u64 {
        self.project.0.try_into().unwrap()
    }

    async fn issue(&self) -> Iid {
        self.client
            .create_issue(self.project, &new_issue("First"))
            .await
            .unwrap()
            .iid
    }
}

fn new_issue(title: &str) -> NewIssue {
    NewIssue {
        title: title.to_owned(),
        description: "Text".to_owned(),
        ..NewIssue::default()
    }
}

fn comment(body: &str) -> NewNote {
    NewNote {
        body: body.to_owned(),
        ..NewNote::default()
    }
}

fn created(reply: NoteReply) -> (mirror_core::issue::Note, Option<String>) {
    match reply {
        NoteReply::Created {
            note,
            discussion,
            commands: false,
        } => (note, discussion),
        NoteReply::Created { .. } | NoteReply::CommandsOnly => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn issue_is_created_listed_changed_and_deleted() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project) = (&gitlab.client, gitlab.project);
    let new = NewIssue {
        labels: vec!["bug".to_owned(), "area::ui".to_owned()],
        due_date: "2027-03-04".parse().ok(),
        weight: Some(3),
        confidential: true,
        created_at: "2020-01-02T03:04:05Z".parse().ok(),
        ..new_issue("First")
    };
    let made = client.create_issue(project, &new).await.unwrap();
    assert_eq!(
        (made.title.as_str(), made.description.as_str()),
        ("First", "Text")
    );
    assert_eq!(
        (made.weight, made.has_weight, made.confidential),
        (Some(3), true, true)
    );
    assert_eq!(Some(made.created_at), new.created_at);

    let query = IssueQuery {
        updated_after: Some(made.updated_at),
        with_label_details: true,
        ..IssueQuery::default()
    };
    let page = client.issues(project, &query).await.unwrap();
    assert_eq!((page.next_page, page.total), (None, Some(1)));
    assert!(page.clock.is_some());
    assert_eq!(page.issues[0].labels.len(), 2);
    assert!(page.issues[0].label_details[0].color.is_some());

    let only = IssueQuery {
        iids: vec![made.iid, Iid(99)],
        author_id: Some(made.author.id),
        ..IssueQuery::default()
    };
    let found = client.issues(project, &only).await.unwrap().issues;
    assert_eq!(
        found.iter().map(|issue| issue.iid).collect::<Vec<_>>(),
        [made.iid]
    );

    let change = IssueChange {
        title: Some("Second".to_owned()),
        add_labels: vec!["later".to_owned()],
        remove_labels: vec!["bug".to_owned()],
        due_date: Some(None),
        weight: Some(None),
        confidential: Some(false),
        state_event: Some(StateEvent::Close),
        ..IssueChange::default()
    };
    let changed = client
        .update_issue(project, made.iid, &change)
        .await
        .unwrap();
    assert_eq!(
        (changed.state, changed.due_date, changed.weight),
        (State::Closed, None, None)
    );
    assert_eq!(changed.labels, ["area::ui", "later"]);
    assert!(!changed.confidential);

    let read = client.issue(project, made.iid).await.unwrap();
    assert_eq!(read.value.title, "Second");
    client.delete_issue(project, made.iid).await.unwrap();
    let gone = client.issue(project, made.iid).await.unwrap_err();
    assert_eq!(*gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn time_is_set_added_and_taken_back() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    client.set_time_estimate(project, iid, 5400).await.unwrap();
    client.add_spent_time(project, iid, 3661).await.unwrap();
    let stats = client.add_spent_time(project, iid, -61).await.unwrap();
    assert_eq!(
        stats,
        TimeStats {
            estimate: 5400,
            spent: 3600
        }
    );
    let stats = client.set_time_estimate(project, iid, 0).await.unwrap();
    assert_eq!(
        stats,
        TimeStats {
            estimate: 0,
            spent: 3600
        }
    );

    let below_zero = client
        .add_spent_time(project, iid, -9999)
        .await
        .unwrap_err();
    assert!(
        matches!(below_zero.kind(), ErrorKind::Validation { .. }),
        "{below_zero}"
    );
    let written = client.system_notes_desc(project, iid).await.unwrap().value;
    assert!(written.iter().all(|note| note.system));
    assert!(written[0].id > written.last().unwrap().id);
}

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

#[tokio::test]
async fn labels_are_made_listed_and_their_coming_and_going_told() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project, iid) = (&gitlab.client, gitlab.project, gitlab.issue().await);
    let label = Label {
        title: "Bug, no: bug & more?".replace(',', ""),
        color: Some("#ff0000".to_owned()),
        description: Some("Something is wrong".to_owned()),
    };
    assert_eq!(
        client.create_label(project, &label).await.unwrap(),
        CreatedLabel::Created
    );
    assert_eq!(
        client.create_label(project, &label).await.unwrap(),
        CreatedLabel::AlreadyExists
    );
    assert_eq!(
        client.labels(project).await.unwrap(),
        std::slice::from_ref(&label)
    );

    let change = IssueChange {
        add_labels: vec![label.title.clone()],
        ..IssueChange::default()
    };
    client.update_issue(project, iid, &change).await.unwrap();
    let events = client.label_events(project, iid).await.unwrap();
    let me = client.token_user().await.unwrap().id;
    assert_eq!(events[0].label.as_ref(), Some(&label.title));
    assert_eq!((events[0].user, events[0].add), (Some(me), true));
}

#[tokio::test]
async fn files_go_up_and_come_down_again() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, id) = (&gitlab.client, gitlab.project);
    let content = stream::iter([Ok("half and ".into()), Ok("half".into())]).boxed();
    let uploaded = client
        .upload(id, "no tes.txt", Some(13), content)
        .await
        .unwrap();
    assert!(uploaded.markdown.contains(&uploaded.url), "{uploaded:?}");

    let mut parts = uploaded.url.trim_start_matches("/uploads/").split('/');
    let (secret, name) = (parts.next().unwrap(), parts.next().unwrap());
    let project = client.project(id).await.unwrap();
    let file = client
        .download_upload(&project, secret, name, Some((18, 4)))
        .await
        .unwrap();
    assert_eq!(file.length, Some(13));
    let bytes: Vec<Bytes> = file.stream.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"half and half");
}

#[tokio::test]
async fn file_of_an_old_source_is_refused_by_its_sign_in() {
    let gitlab = Gitlab::start(Sim::builder().version("16.11.0")).await;
    let content = Content::Stored(Bytes::from_static(b"text"));
    let upload = gitlab
        .sim
        .add_upload(gitlab.id(), gitlab.bot, "a.txt", content)
        .unwrap();
    let project = gitlab.client.project(gitlab.project).await.unwrap();
    let version = gitlab.client.metadata().await.unwrap().major_minor;
    assert_eq!(version, Some((16, 11)));
    let error = gitlab
        .client
        .download_upload(&project, &upload.secret, &upload.filename, version)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::SignIn);
}

#[tokio::test]
async fn file_in_an_object_storage_comes_without_the_token_being_shown_there() {
    let storage = Sim::builder().build();
    let storage_server = storage.serve("127.0.0.1:0").await.unwrap();
    let builder = Sim::builder().uploads_redirect_to(&storage_server.url());
    let gitlab = Gitlab::start(builder).await;
    let content = Content::Stored(Bytes::from_static(b"text"));
    let upload = gitlab
        .sim
        .add_upload(gitlab.id(), gitlab.bot, "a.txt", content)
        .unwrap();
    let project = gitlab.client.project(gitlab.project).await.unwrap();
    // The storage knows no such file here; what matters is how it was asked.
    let error = gitlab
        .client
        .download_upload(&project, &upload.secret, &upload.filename, None)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotFound);
    let asked = storage.requests();
    assert_eq!(asked.len(), 1);
    assert!(!asked[0].token_sent);
}

#[tokio::test]
async fn renamed_project_is_found_under_its_number() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    gitlab.sim.rename_project(gitlab.id(), "store/till");
    let found = gitlab
        .client
        .project_by_path("shop/checkout")
        .await
        .unwrap();
    assert_eq!(
        (found.id, found.path.as_str()),
        (gitlab.project, "store/till")
    );
    assert_eq!(
        (found.role, found.issues_readable),
        (Some(Role::OWNER), true)
    );
}

#[tokio::test]
async fn tokens_that_do_not_do_are_told_apart() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let yesterday = gitlab.sim.clock().now().date_naive();
    let spec = |token: &str| TokenSpec::api(token);
    gitlab
        .sim
        .add_token(gitlab.bot, TokenSpec::read_api("glpat-1"));
    gitlab.sim.add_token(
        gitlab.bot,
        TokenSpec {
            revoked: true,
            ..spec("glpat-2")
        },
    );
    gitlab.sim.add_token(
        gitlab.bot,
        TokenSpec {
            expires_at: Some(yesterday),
            ..spec("glpat-3")
        },
    );

    let lab = Lab::new();
    let refusal = async |token: &str| -> Error {
        let transport = mirror_gitlab::HttpTransport::new(&lab.options).unwrap();
        lab.client_with(&gitlab.server.url(), token, Arc::new(transport))
            .create_issue(gitlab.project, &new_issue("x"))
            .await
            .unwrap_err()
    };
    for (token, fault) in [
        ("glpat-0", None),
        ("glpat-2", Some(TokenFault::Revoked)),
        ("glpat-3", Some(TokenFault::Expired)),
    ] {
        assert_eq!(
            *refusal(token).await.kind(),
            ErrorKind::Unauthorized { fault },
            "{token}"
        );
    }
    let reader = refusal("glpat-1").await;
    assert!(
        matches!(reader.kind(), ErrorKind::InsufficientScope { needed } if needed.iter().any(|scope| scope == "api")),
        "{reader:?}"
    );
    assert_eq!(gitlab.client.token_facts().await.unwrap().scopes, ["api"]);
}

#[tokio::test]
async fn lost_answer_leaves_one_issue_and_an_unknown_outcome() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let rule = |fault| FaultRule::new("POST", "/issues$", When::Next(1), fault);
    gitlab.sim.fail(rule(Fault::LoseResponse));
    let lost = gitlab
        .client
        .create_issue(gitlab.project, &new_issue("x"))
        .await;
    assert_eq!(lost.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(
        gitlab.sim.world(|world| world.issues(gitlab.id()).count()),
        1
    );

    gitlab.sim.fail(rule(Fault::Truncate(10)));
    let cut = gitlab
        .client
        .create_issue(gitlab.project, &new_issue("y"))
        .await;
    assert_eq!(cut.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(
        gitlab.sim.world(|world| world.issues(gitlab.id()).count()),
        2
    );
}

#[tokio::test]
async fn reads_survive_what_reads_can_survive() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let iid = gitlab.issue().await;
    for fault in [
        Fault::Reset,
        Fault::ErrorBefore(502),
        Fault::ErrorBefore(500),
        Fault::Truncate(20),
        Fault::TooManyRequests {
            headers: true,
            retry_after: Some(3),
            application: false,
        },
        Fault::TooManyRequests {
            headers: false,
            retry_after: Some(3),
            application: true,
        },
    ] {
        gitlab.sim.fail(FaultRule::new(
            "GET",
            "/issues/",
            When::Next(1),
            fault.clone(),
        ));
        let found = gitlab.client.issue(gitlab.project, iid).await;
        assert_eq!(found.unwrap().value.iid, iid, "{fault:?}");
    }
}

#[tokio::test]
async fn simulator_in_this_process_is_reached_without_a_network() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let router = gitlab.sim.router();
    let service = tower::service_fn(move |request: Request<Body>| {
        let router = router.clone();
        async move {
            let response: Response<Body> = router.oneshot(request).await.unwrap();
            match response.extensions().get::<ConnectionLost>() {
                Some(_) => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let client = Lab::new().client_over(&gitlab.server.url(), Arc::new(transport));
    let made = client
        .create_issue(gitlab.project, &new_issue("x"))
        .await
        .unwrap();

    gitlab.sim.fail(FaultRule::new(
        "POST",
        "/notes$",
        When::Next(1),
        Fault::LoseResponse,
    ));
    let lost = client
        .create_note(gitlab.project, made.iid, &comment("x"))
        .await;
    assert_eq!(lost.unwrap_err().fate(), Fate::Unknown);
    let spec = IssueSpec {
        author: gitlab.bot,
        title: "by hand".to_owned(),
        ..IssueSpec::default()
    };
    gitlab
        .sim
        .edit(|world| world.create_issue(gitlab.id(), spec))
        .unwrap();
    let page = client
        .issues(gitlab.project, &IssueQuery::default())
        .await
        .unwrap();
    assert_eq!(page.issues.len(), 2);
}
