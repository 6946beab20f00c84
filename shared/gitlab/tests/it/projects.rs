//! Instances, tokens, projects, labels, time: what is asked and how the answers are read.

use crate::support::{Lab, PROJECT, Server, json, note_json, status};
use mirror_core::{
    ids::{Iid, NoteId, UserId},
    issue::{IssueType, Label, TimeStats},
};
use mirror_gitlab::{
    CreatedLabel, ErrorKind, IssueChange, NewIssue, NewNote, NoteReply, StateEvent,
};
use serde_json::json as object;

#[tokio::test]
async fn instance_under_a_sub_path_is_asked_there() {
    let gitlab =
        Server::answering(|_, _| json(200, r#"{"version":"18.4.0-ee","enterprise":true}"#)).await;
    let client = Lab::new().client(&format!("{}forge?x=1#y", gitlab.url));
    assert_eq!(client.base().as_str(), format!("{}forge/", gitlab.url));
    let metadata = client.metadata().await.unwrap();
    assert_eq!(
        (metadata.major_minor, metadata.enterprise),
        (Some((18, 4)), true)
    );
    assert_eq!(gitlab.targets(), ["/forge/api/v4/metadata"]);
}

#[tokio::test]
async fn old_instance_is_asked_for_its_version() {
    let gitlab = Server::answering(|seen, _| match seen.target.as_str() {
        "/api/v4/version" => json(200, r#"{"version":"13.12.15-ee","revision":"abc"}"#),
        _ => json(404, r#"{"error":"404 Not Found"}"#),
    })
    .await;
    let metadata = Lab::new().client(&gitlab.url).metadata().await.unwrap();
    assert_eq!(
        (metadata.major_minor, metadata.enterprise),
        (Some((13, 12)), true)
    );
}

#[tokio::test]
async fn token_tells_whom_it_acts_for_and_what_it_may() {
    let gitlab = Server::answering(|seen, _| match seen.target.as_str() {
        "/api/v4/user" => json(200, r#"{"id":9,"username":"bot"}"#),
        _ => json(
            200,
            r#"{"scopes":["api"],"active":true,"expires_at":"2027-01-31"}"#,
        ),
    })
    .await;
    let client = Lab::new().client(&gitlab.url);
    let user = client.token_user().await.unwrap();
    assert_eq!((user.id, user.admin), (UserId(9), false));
    let facts = client.token_facts().await.unwrap();
    assert_eq!(facts.scopes, ["api"]);
    assert_eq!(facts.expires_at, "2027-01-31".parse().ok());
    assert_eq!(
        gitlab.targets(),
        ["/api/v4/user", "/api/v4/personal_access_tokens/self"]
    );
}

#[tokio::test]
async fn path_that_would_climb_is_not_sent() {
    let gitlab = Server::answering(|_, _| json(200, "{}")).await;
    let client = Lab::new().client(&gitlab.url);
    for path in ["..", "group/../user", "group//project", ""] {
        let error = client.project_by_path(path).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsendable { .. }),
            "{path}"
        );
    }
    assert!(gitlab.seen().is_empty());
}

#[tokio::test]
async fn create_sends_what_there_is_and_nothing_else() {
    let gitlab = Server::answering(|_, _| json(201, &crate::support::issue_json(3))).await;
    let client = Lab::new().client(&gitlab.url);
    let plain = NewIssue {
        title: "t".to_owned(),
        description: "d".to_owned(),
        ..NewIssue::default()
    };
    client.create_issue(PROJECT, &plain).await.unwrap();
    let full = NewIssue {
        labels: vec!["a".to_owned(), "s::b".to_owned()],
        due_date: "2026-02-03".parse().ok(),
        confidential: true,
        weight: Some(0),
        issue_type: Some(IssueType::Incident),
        iid: Some(Iid(12)),
        created_at: "2026-01-02T03:04:05Z".parse().ok(),
        ..plain
    };
    client.create_issue(PROJECT, &full).await.unwrap();
    let seen = gitlab.seen();
    assert_eq!(seen[0].json(), object!({"title": "t", "description": "d"}));
    assert_eq!(
        seen[1].json(),
        object!({
            "title": "t", "description": "d", "labels": "a,s::b", "due_date": "2026-02-03",
            "confidential": true, "weight": 0, "issue_type": "incident", "iid": 12,
            "created_at": "2026-01-02T03:04:05Z"
        })
    );
}

#[tokio::test]
async fn change_tells_clearing_from_leaving_alone() {
    let gitlab = Server::answering(|_, _| json(200, &crate::support::issue_json(3))).await;
    let client = Lab::new().client(&gitlab.url);
    let clearing = IssueChange {
        due_date: Some(None),
        weight: Some(None),
        add_labels: vec!["a".to_owned()],
        remove_labels: vec!["b".to_owned(), "c".to_owned()],
        state_event: Some(StateEvent::Close),
        ..IssueChange::default()
    };
    client
        .update_issue(PROJECT, Iid(3), &clearing)
        .await
        .unwrap();
    assert_eq!(
        gitlab.seen()[0].json(),
        object!({
            "due_date": "", "weight": null, "add_labels": "a", "remove_labels": "b,c",
            "state_event": "close"
        })
    );
}

#[tokio::test]
async fn seconds_are_always_named_and_no_estimate_is_a_reset() {
    let gitlab = Server::answering(|_, _| {
        json(
            201,
            r#"{"time_estimate":3600,"total_time_spent":90,"human_time_estimate":"1h"}"#,
        )
    })
    .await;
    let client = Lab::new().client(&gitlab.url);
    let stats = client
        .set_time_estimate(PROJECT, Iid(3), 3600)
        .await
        .unwrap();
    assert_eq!(
        stats,
        TimeStats {
            estimate: 3600,
            spent: 90
        }
    );
    client.set_time_estimate(PROJECT, Iid(3), 0).await.unwrap();
    client.add_spent_time(PROJECT, Iid(3), 90).await.unwrap();
    client.add_spent_time(PROJECT, Iid(3), -30).await.unwrap();

    let sent: Vec<String> = gitlab
        .seen()
        .iter()
        .map(|seen| {
            let path = seen.target.rsplit('/').next().unwrap();
            format!("{path} {}", String::from_utf8_lossy(&seen.body))
        })
        .collect();
    assert_eq!(
        sent,
        [
            r#"time_estimate {"duration":"3600s"}"#,
            "reset_time_estimate ",
            r#"add_spent_time {"duration":"90s"}"#,
            r#"add_spent_time {"duration":"-30s"}"#,
        ]
    );
}

#[tokio::test]
async fn label_that_exists_is_as_good_as_created() {
    for (code, body) in [
        (409, r#"{"message":"Label already exists"}"#),
        (400, r#"{"message":{"title":["has already been taken"]}}"#),
    ] {
        let gitlab = Server::answering(move |_, _| json(code, body)).await;
        let label = Label {
            title: "Bug".to_owned(),
            color: Some("#ff0000".to_owned()),
            description: None,
        };
        let made = Lab::new()
            .client(&gitlab.url)
            .create_label(PROJECT, &label)
            .await;
        assert_eq!(made.unwrap(), CreatedLabel::AlreadyExists);
        assert_eq!(
            gitlab.seen()[0].json(),
            object!({"name": "Bug", "color": "#ff0000"})
        );
    }
}

#[tokio::test]
async fn labels_of_all_pages_and_groups_are_read() {
    let gitlab = Server::answering(|_, before| {
        let next = if before == 0 { "2" } else { "" };
        let body = format!(r##"[{{"id":1,"name":"l{before}","color":"#fff","description":""}}]"##);
        status(200, &[("x-next-page", next)], &body)
    })
    .await;
    let labels = Lab::new()
        .client(&gitlab.url)
        .labels(PROJECT)
        .await
        .unwrap();
    let titles: Vec<&str> = labels.iter().map(|label| label.title.as_str()).collect();
    assert_eq!(titles, ["l0", "l1"]);
    assert!(gitlab.targets()[0].contains("include_ancestor_groups=true"));
}

#[tokio::test]
async fn events_of_deleted_labels_and_people_are_read_too() {
    let gitlab = Server::answering(|_, _| {
        let body = r#"[{"id":1,"user":{"id":9,"username":"bot"},"label":{"id":2,"name":"a"},"action":"add"},
            {"id":2,"user":null,"label":null,"action":"remove"}]"#;
        status(200, &[("x-next-page", "")], body)
    })
    .await;
    let events = Lab::new()
        .client(&gitlab.url)
        .label_events(PROJECT, Iid(3))
        .await
        .unwrap();
    assert_eq!((events[0].user, events[0].add), (Some(UserId(9)), true));
    assert_eq!((&events[1].label, events[1].add), (&None, false));
}

#[tokio::test]
async fn text_executed_as_commands_is_told_from_a_note() {
    let gitlab = Server::answering(|_, before| match before {
        0 => json(
            202,
            r#"{"commands_changes":{"state_event":"close"},"summary":["Closed this issue."]}"#,
        ),
        1 => json(
            201,
            &note_json(5).replace('}', r#","commands_changes":{"labels":[1]}}"#),
        ),
        2 => json(
            201,
            &note_json(6).replace('}', r#","commands_changes":{}}"#),
        ),
        _ => status(204, &[], ""),
    })
    .await;
    let client = Lab::new().client(&gitlab.url);
    let note = NewNote {
        body: "/close".to_owned(),
        ..NewNote::default()
    };
    let replies = [
        client.create_note(PROJECT, Iid(3), &note).await.unwrap(),
        client.create_note(PROJECT, Iid(3), &note).await.unwrap(),
        client.reply(PROJECT, Iid(3), "ab12", &note).await.unwrap(),
        client
            .update_note(PROJECT, Iid(3), NoteId(5), "/close")
            .await
            .unwrap(),
    ];
    assert_eq!(replies[0], NoteReply::CommandsOnly);
    assert!(matches!(
        replies[1],
        NoteReply::Created {
            commands: true,
            discussion: None,
            ..
        }
    ));
    assert!(
        matches!(&replies[2], NoteReply::Created { commands: false, discussion: Some(id), note } if id == "ab12" && note.id == NoteId(6))
    );
    assert_eq!(replies[3], NoteReply::CommandsOnly);
}

#[tokio::test]
async fn internal_thread_is_never_begun_where_the_flag_would_be_ignored() {
    let gitlab = Server::answering(|seen, _| match seen.method.as_str() {
        "POST" => json(201, &note_json(5).replace('}', r#","internal":true}"#)),
        _ => {
            let thread = |id: &str, note| {
                format!(
                    r#"{{"id":"{id}","individual_note":true,"notes":[{}]}}"#,
                    note_json(note)
                )
            };
            let list = format!("[{},{}]", thread("aa", 4), thread("bb", 5));
            status(200, &[("x-next-page", "")], &list)
        }
    })
    .await;
    let client = Lab::new().client(&gitlab.url);
    let secret = NewNote {
        body: "for the team".to_owned(),
        internal: true,
        created_at: None,
    };
    let reply = client
        .start_discussion(PROJECT, Iid(3), &secret)
        .await
        .unwrap();
    assert!(
        matches!(&reply, NoteReply::Created { note, discussion: Some(id), .. } if note.internal && id == "bb"),
        "{reply:?}"
    );
    let seen = gitlab.seen();
    assert_eq!(seen[0].target, "/api/v4/projects/7/issues/3/notes");
    assert_eq!(
        seen[0].json(),
        object!({"body": "for the team", "internal": true, "confidential": true})
    );
    assert!(
        seen.iter()
            .all(|seen| seen.method == "GET" || !seen.target.contains("discussions"))
    );
}
