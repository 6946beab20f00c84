//! Who may do what, said on the command line.

use super::fleet::Fleet;
use crate::process::stage::{Ended, finish};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;

const PASSWORD: &str = "four plain words here";

impl Fleet {
    /// Runs a command that reads this from its input stream.
    async fn given(&self, words: &[&str], input: &str) -> Ended {
        let mut command = self.command(words);
        command.env("USER", "root").stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever refuses the words reads no input.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let ended = finish(child).await;
        assert!(!format!("{ended:?}").contains(PASSWORD), "{ended:?}");
        ended
    }
}

#[track_caller]
fn refused(ended: &Ended, mend: &str) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains(mend), "{ended:?}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_refused_when_it_is_revoked() {
    let fleet = Fleet::alone().await;
    let create = [
        "token",
        "create",
        "--name",
        "ci",
        "--role",
        "operator",
        "--expires-in",
        "90d",
    ];
    let made = fleet.well(&create).await;
    let token = made.out.trim();
    assert!(token.starts_with("imt_") && token.len() == 47, "{made:?}");
    assert!(
        !made.err.contains(token),
        "a script takes it from the output"
    );
    let listed = fleet.well(&["token", "list"]).await;
    assert!(listed.out.contains(&token[..8]) && !listed.out.contains(token));
    let listed = fleet.well(&["token", "list", "--json"]).await.json();
    let state = |listed: &serde_json::Value| listed[0]["state"].as_str().unwrap().to_owned();
    assert_eq!(
        (state(&listed).as_str(), &listed[0]["role"]),
        ("good", &"operator".into())
    );
    refused(&fleet.run(&create).await, "token revoke ci");
    fleet.well(&["token", "revoke", "ci"]).await;
    let listed = fleet.well(&["token", "list", "--json"]).await.json();
    assert_eq!(state(&listed), "revoked");
    refused(&fleet.run(&["token", "revoke", "ci"]).await, "token list");
    let odd = ["token", "create", "--name", "C I", "--role", "operator"];
    refused(&fleet.run(&odd).await, "small letters");
    let odd = ["token", "create", "--name", "ci", "--role", "root"];
    refused(&fleet.run(&odd).await, "viewer, operator or admin");
}

#[tokio::test]
async fn people_are_let_in_by_a_password_that_no_process_list_shows() {
    let fleet = Fleet::alone().await;
    let anna = ["user", "create", "anna", "--role", "admin"];
    refused(&fleet.given(&anna, "").await, "first line of the input");
    refused(&fleet.given(&anna, "short\n").await, "12 characters");
    let made = fleet.given(&anna, &format!("{PASSWORD}\n")).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    refused(
        &fleet.given(&anna, PASSWORD).await,
        "another one called anna",
    );
    let ben = ["user", "create", "ben", "--role", "viewer"];
    assert_eq!(fleet.given(&ben, PASSWORD).await.code, Some(0));
    fleet.well(&["user", "role", "ben", "operator"]).await;
    fleet.well(&["user", "disable", "ben"]).await;
    let listed = fleet.well(&["user", "list", "--json"]).await.json();
    assert_eq!(listed[1]["role"], "operator");
    assert_eq!(listed[1]["disabled"], true);
    fleet.well(&["user", "enable", "ben"]).await;
    let another = fleet.given(&["user", "password", "ben"], "another few words\n");
    assert_eq!(another.await.code, Some(0));
    for words in [["user", "delete", "anna"], ["user", "disable", "anna"]] {
        refused(&fleet.run(&words).await, "last administrator");
    }
    fleet.well(&["user", "delete", "ben"]).await;
    refused(&fleet.run(&["user", "delete", "ben"]).await, "user list");
}

#[tokio::test]
async fn what_is_done_to_mirrors_on_the_command_line_is_on_record() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    fleet
        .well(&["mirrors", "pause", "1", "--reason", "a move"])
        .await;
    fleet.well(&["mirrors", "resume", "1"]).await;
    fleet.set_up().await;
    let told = fleet.well(&["audit", "--json"]).await;
    assert!(!told.out.contains("glpat"), "no token");
    let told = told.json();
    let told = told.as_array().unwrap().iter();
    let whats: Vec<&str> = told
        .rev()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        whats,
        [
            "instance.create",
            "instance.create",
            "mirror.create",
            "mirror.pause",
            "mirror.resume",
            "instance.update",
            "instance.update",
            "mirror.update",
        ]
    );
}

#[tokio::test]
async fn what_the_command_line_changes_is_on_record() {
    let fleet = Fleet::alone().await;
    let create = ["user", "create", "anna", "--role", "admin"];
    fleet.given(&create, PASSWORD).await;
    fleet
        .well(&["token", "create", "--name", "ci", "--role", "viewer"])
        .await;
    fleet.well(&["token", "revoke", "ci"]).await;
    let told = fleet
        .well(&["audit", "--json", "--since", "1h"])
        .await
        .json();
    let whats = told
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap());
    let whats: Vec<&str> = whats.collect();
    assert_eq!(whats, ["token.revoke", "token.create", "user.create"]);
    assert_eq!(told[2]["who"], "cli:root");
    assert_eq!(told[2]["after"]["role"], "admin");
    assert!(
        !told.to_string().contains("argon2"),
        "no secret, not even hashed"
    );
    let users = fleet
        .well(&["audit", "--what", "user.", "--json"])
        .await
        .json();
    assert_eq!(users.as_array().unwrap().len(), 1);
    refused(&fleet.run(&["audit", "--since", "lately"]).await, "7d");
}
