use super::{Gitlab, new_issue};
use crate::support::Lab;
use gitlab_sim::{AccessLevel, Edition, Sim, TokenSpec, UserSpec};
use mirror_core::{
    ids::{Iid, UserId},
    issue::{Issue, Label, State, TimeStats},
    issue_links::LinkKind,
    project::Role,
};
use mirror_gitlab::{
    CreatedLabel, Error, ErrorKind, IssueChange, IssueQuery, NewIssue, StateEvent, TokenFault,
};
use std::sync::Arc;

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
async fn people_are_found_by_name_assigned_and_taken_off() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, project) = (&gitlab.client, gitlab.project);
    let anna = gitlab.sim.add_user(UserSpec::new("anna", "Anna"));
    let found = client.user_named("Anna").await.unwrap().unwrap();
    assert_eq!(found.id, UserId(anna.try_into().unwrap()));
    assert_eq!(client.user_named("ann").await.unwrap(), None);
    let role = client.member_role(project, found.id).await.unwrap();
    assert_eq!(role, None);
    let bot = client.token_user().await.unwrap().id;
    let role = client.member_role(project, bot).await.unwrap();
    assert_eq!(role, Some(Role::OWNER));

    gitlab.sim.edit(|world| {
        let home = world.project_mut(gitlab.id()).unwrap();
        home.members.insert(anna, AccessLevel::Guest);
    });
    let role = client.member_role(project, found.id).await.unwrap();
    assert_eq!(role, Some(Role::GUEST));
    let new = NewIssue {
        assignees: vec![bot],
        ..new_issue("First")
    };
    let made = client.create_issue(project, &new).await.unwrap();
    let assigned =
        |issue: &Issue| -> Vec<UserId> { issue.assignees.iter().map(|user| user.id).collect() };
    assert_eq!(assigned(&made), [bot]);
    for everybody in [vec![found.id, bot], vec![found.id], vec![]] {
        let change = IssueChange {
            assignees: Some(everybody.clone()),
            ..IssueChange::default()
        };
        let changed = client.update_issue(project, made.iid, &change).await;
        assert_eq!(assigned(&changed.unwrap()), everybody);
    }
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
async fn issues_are_linked_and_unlinked() {
    for edition in [Edition::Ce, Edition::Premium] {
        let gitlab = Gitlab::start(Sim::builder().edition(edition)).await;
        let (client, project) = (&gitlab.client, gitlab.project);
        for title in ["First", "Second"] {
            client
                .create_issue(project, &new_issue(title))
                .await
                .unwrap();
        }
        let (first, second) = (Iid(1), Iid(2));
        let link = async |kind| client.link_issues(project, first, second, kind).await;
        let blocks = link(LinkKind::Blocks).await;
        let kind = if edition == Edition::Ce {
            assert_eq!(*blocks.unwrap_err().kind(), ErrorKind::Forbidden);
            link(LinkKind::RelatesTo).await.unwrap();
            LinkKind::RelatesTo
        } else {
            blocks.unwrap();
            LinkKind::IsBlockedBy
        };
        let again = link(LinkKind::RelatesTo).await.unwrap_err();
        assert!(matches!(again.kind(), ErrorKind::Conflict(_)), "{again}");
        let links = client.issue_links(project, second).await.unwrap();
        assert_eq!((links[0].iid, links[0].kind), (first, kind));
        assert_eq!((links.len(), links[0].project), (1, project));
        let unlink = async || client.unlink_issues(project, second, links[0].id).await;
        unlink().await.unwrap();
        assert_eq!(*unlink().await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(client.issue_links(project, first).await.unwrap().is_empty());
    }
}
