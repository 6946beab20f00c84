//! The first administrator of a service that was just started.

use super::{fleet::Fleet, http};
use std::io::Read;

/// Sends a request and reads the answer whole.
fn asked(address: &str, head: &str, body: &str) -> String {
    let mut answer = String::new();
    let mut connection = http::send(address, head, "", body);
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_service_tells_the_code_of_its_first_administrator_until_there_is_one() {
    let fleet = Fleet::alone().await;
    let api = ["api", "--listen", "127.0.0.1:0"];
    let mut first = fleet.start(&api);
    let code = fleet.told("first administrator: ", 1).await;
    let address = fleet.told("address=", 1).await;
    let body = serde_json::json!({
        "code": code, "name": "anna", "password": "four plain words here"
    });
    let answer = asked(&address, "POST /api/setup", &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("set-cookie: issue-mirror="), "{answer}");
    let audit = fleet.well(&["audit", "--json"]).await.json();
    assert_eq!(audit[1]["what"], "setup");
    assert_eq!(audit[1]["address"], "127.0.0.1");
    first.kill().await.unwrap();
    let _second = fleet.start(&api);
    let address = fleet.told("address=", 2).await;
    let answer = asked(&address, "POST /api/setup", &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(fleet.log().matches("first administrator").count(), 1);
}

#[tokio::test]
async fn proxies_that_are_none_are_told_at_the_start() {
    let fleet = Fleet::alone().await;
    let mut command = fleet.command(&["api"]);
    command.env("ISSUE_MIRROR_TRUSTED_PROXIES", "10.0.0.0/8, proxy");
    let ended = crate::process::stage::ended(command).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("`proxy` is no address"), "{ended:?}");
}
