//! Another key for what is sealed, while the service goes on.

use super::fleet::Fleet;
use crate::process::stage::{Ended, ended};
use std::fs;

const OLD: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const NEW: &str = "0202020202020202020202020202020202020202020202020202020202020202";

impl Fleet {
    async fn under(&self, words: &[&str], keys: &[(&str, &str)]) -> Ended {
        let mut command = self.command(words);
        command.envs(keys.iter().copied());
        ended(command).await
    }
}

#[tokio::test]
async fn the_key_in_the_folder_is_replaced_and_what_it_sealed_opens_as_before() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    let folder = fleet.stage.state().to_owned();
    let before = fs::read_to_string(folder.join("key")).unwrap();
    let rotated = fleet.well(&["key", "rotate"]).await;
    assert!(rotated.out.contains("2 secrets"), "{rotated:?}");
    let after = fs::read_to_string(folder.join("key")).unwrap();
    assert_ne!(after, before);
    assert!(!folder.join("key.old").exists(), "it is of no use any more");
    fleet.well(&["instances", "check"]).await;
    let old = [("ISSUE_MIRROR_KEY", before.trim())];
    let refused = fleet.under(&["instances", "check"], &old).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let told = fleet
        .well(&["audit", "--json", "--what", "key."])
        .await
        .json();
    assert_eq!(told[0]["after"]["resealed"], 2);
}

#[tokio::test]
async fn a_service_goes_on_while_its_key_is_replaced() {
    let fleet = Fleet::alone().await;
    fleet.fill(3);
    let both = [("ISSUE_MIRROR_KEY", NEW), ("ISSUE_MIRROR_OLD_KEY", OLD)];
    for (end, token) in [
        (&fleet.stage.source, crate::process::stage::SOURCE_TOKEN),
        (&fleet.stage.target, crate::process::stage::TARGET_TOKEN),
    ] {
        let url = end.server.url();
        let keys = [("ISSUE_MIRROR_KEY", OLD), ("GITLAB_TOKEN", token)];
        let added = fleet.under(&["instances", "add", &url], &keys).await;
        assert_eq!(added.code, Some(0), "{added:?}");
    }
    let (from, to) = (fleet.stage.source.web_url(), fleet.stage.target.web_url());
    let add = ["mirrors", "add", &from, &to, "--include-closed"];
    let added = fleet.under(&add, &both).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let mut all = fleet.command(&["all"]);
    all.envs(both);
    let _all = fleet.spawn(all);
    fleet.mirrors_all().await;
    let nothing = [("ISSUE_MIRROR_KEY", NEW)];
    let refused = fleet.under(&["key", "rotate"], &nothing).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--old-key-file"), "{refused:?}");
    let rotated = fleet.under(&["key", "rotate"], &both).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(rotated.out.contains("2 secrets"), "{rotated:?}");
    fleet.mirrors_all().await;
    let alone = fleet.under(&["instances", "check"], &nothing).await;
    assert_eq!(alone.code, Some(0), "{alone:?}");
}

#[tokio::test]
async fn the_folders_key_is_not_replaced_under_a_running_service() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    let _all = fleet.start(&["all"]);
    fleet.mirrors_all().await;
    let refused = fleet.run(&["key", "rotate"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("stop it"), "{refused:?}");
    assert!(!fleet.stage.state().join("key.old").exists());
}
