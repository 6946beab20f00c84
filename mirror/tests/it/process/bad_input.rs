//! What people get wrong: told what, why and how to mend it; nothing half-written, no token shown.

use super::{
    oracle,
    stage::{Ended, SOURCE_TOKEN, Stage, TARGET_TOKEN, ended, finish, within},
    tls, world,
};
use chrono::{NaiveDate, TimeDelta};
use gitlab_sim::{
    AccessLevel, FeatureAccess, Hook, HookVerdict, Phase, ProjectSpec, TokenSpec, UserSpec,
    Visibility,
};
use std::sync::Arc;
use tokio::sync::Notify;

async fn stage() -> Stage {
    let stage = Stage::new().await;
    world::fill(&stage.source, 2);
    stage
}

/// It ended as designed, said all of `words`, wrote nothing and kept the tokens to itself.
#[track_caller]
fn refused(stage: &Stage, ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "no `{word}`: {ended:?}");
    }
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    ended.keeps_the_tokens_to_itself();
    assert!(stage.target.writes().is_empty() && stage.source.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_token_is_asked_for_by_the_name_of_its_variable() {
    let stage = stage().await;
    for (variable, scope) in [("SOURCE_TOKEN", "read_api"), ("TARGET_TOKEN", "api")] {
        let mut command = stage.command("sync", &[]);
        command.env_remove(variable);
        refused(
            &stage,
            &ended(command).await,
            2,
            &[variable, "is not set", scope],
        );
    }
    assert!(stage.source.sim.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_told_with_its_side_and_never_shown() {
    let stage = stage().await;
    for (variable, side) in [("SOURCE_TOKEN", "source:"), ("TARGET_TOKEN", "target:")] {
        let mut command = stage.command("sync", &[]);
        command.env(variable, "glpat-somebody-elses-secret");
        let ended = ended(command).await;
        refused(
            &stage,
            &ended,
            2,
            &[side, variable, "is not accepted", "make a new one"],
        );
        assert!(!ended.err.contains("somebody-elses"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_copied_with_a_line_break_is_to_be_copied_again() {
    let stage = stage().await;
    let mut command = stage.command("sync", &[]);
    command.env("TARGET_TOKEN", "glpat-half\nand-half");
    let ended = ended(command).await;
    refused(
        &stage,
        &ended,
        2,
        &["target:", "TARGET_TOKEN again", "no token has"],
    );
    assert!(!ended.err.contains("and-half"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_and_a_revoked_token_are_told_apart_from_a_wrong_one() {
    let stage = stage().await;
    let yesterday: NaiveDate = stage
        .source
        .sim
        .world(|world| (world.now() - TimeDelta::days(1)).date_naive());
    let expired = TokenSpec {
        expires_at: Some(yesterday),
        ..TokenSpec::read_api("glpat-expired")
    };
    let revoked = TokenSpec {
        revoked: true,
        ..TokenSpec::api("glpat-revoked")
    };
    stage.source.sim.add_token(stage.source.user, expired);
    stage.target.sim.add_token(stage.target.user, revoked);
    for (variable, token, word) in [
        ("SOURCE_TOKEN", "glpat-expired", "expired"),
        ("TARGET_TOKEN", "glpat-revoked", "revoked"),
    ] {
        let mut command = stage.command("sync", &[]);
        command.env(variable, token);
        let ended = ended(command).await;
        refused(&stage, &ended, 2, &[variable, word, "make a new one"]);
        assert!(!ended.err.contains(token), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_is_told_which_scope_it_needs() {
    let stage = stage().await;
    let (user, sim) = (stage.target.user, &stage.target.sim);
    sim.add_token(user, TokenSpec::read_api("glpat-reads-only"));
    let mut command = stage.command("sync", &[]);
    command.env("TARGET_TOKEN", "glpat-reads-only");
    let told = ended(command).await;
    refused(&stage, &told, 2, &["TARGET_TOKEN", "scope api", "read_api"]);

    let pushes = TokenSpec {
        scopes: vec!["write_repository".to_owned()],
        ..TokenSpec::api("glpat-pushes-only")
    };
    stage.source.sim.add_token(stage.source.user, pushes);
    let mut command = stage.command("sync", &[]);
    command.env("SOURCE_TOKEN", "glpat-pushes-only");
    let told = ended(command).await;
    refused(&stage, &told, 2, &["SOURCE_TOKEN", "scope read_api"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_edit_issues_is_refused_before_the_first_write() {
    let stage = stage().await;
    let guest = stage.target.sim.edit(|world| {
        let guest = world.add_user(UserSpec::new("guest", "Guest"));
        let home = world.project_mut(stage.target.project).unwrap();
        home.members.insert(guest, AccessLevel::Guest);
        guest
    });
    stage
        .target
        .sim
        .add_token(guest, TokenSpec::api("glpat-guest"));
    let mut command = stage.command("sync", &[]);
    command.env("TARGET_TOKEN", "glpat-guest");
    let told = ended(command).await;
    refused(&stage, &told, 2, &["Guest", "Planner or Reporter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_project_is_named() {
    let stage = stage().await;
    let known = stage.target.web_url();
    let unknown = format!("{}/no/such", stage.source.server.url());
    let told = ended(stage.bare(&["sync", &unknown, &known])).await;
    refused(
        &stage,
        &told,
        2,
        &["source:", "no/such", "spelling", "member"],
    );
    let known = stage.source.web_url();
    let unknown = format!("{}/no/such", stage.target.server.url());
    let told = ended(stage.bare(&["sync", &known, &unknown])).await;
    refused(
        &stage,
        &told,
        2,
        &["target:", "no/such", "spelling", "member"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_not_mirrored_into_itself_however_it_is_spelled() {
    let stage = stage().await;
    let project = stage.target.web_url();
    for other in [
        project.clone(),
        format!("{project}/-/issues"),
        project.replace("127.0.0.1", "localhost"),
    ] {
        let mut command = stage.bare(&["sync", &project, &other]);
        command.env("SOURCE_TOKEN", TARGET_TOKEN);
        let told = ended(command).await;
        refused(&stage, &told, 2, &["same project", "give two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_of_a_project_is_refused_with_an_example() {
    let stage = stage().await;
    let target = stage.target.web_url();
    for (wrong, word) in [
        ("shop/checkout", "https://"),
        ("ftp://gitlab.a/shop/checkout", "http"),
        ("https://gitlab.a/checkout", "group/project"),
        ("https://me:hunter2@gitlab.a/shop/checkout", "SOURCE_TOKEN"),
    ] {
        let told = ended(stage.bare(&["sync", wrong, &target])).await;
        refused(&stage, &told, 2, &["error: ", word]);
        assert!(!told.err.contains("hunter2"), "{told:?}");
    }
    for wrong in [
        vec!["sync", "https://gitlab.a/shop/checkout"],
        vec!["sync", "a", "b", "--limit", "everything=1/1"],
        vec!["sync", "a", "b", "--concurrency", "0"],
        vec!["sync", "a", "b", "--issue", "0"],
        vec!["sync", "a", "b", "--max-attachment-size", "huge"],
    ] {
        let told = ended(stage.bare(&wrong)).await;
        refused(&stage, &told, 2, &["error: "]);
    }
}

/// A whole, empty SQLite file of another program's.
fn another_programs_database() -> Vec<u8> {
    let mut page = vec![0_u8; 4096];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    let words = [
        (24, 1_u32),
        (28, 1),
        (44, 4),
        (56, 1),
        // Whose it is.
        (68, 0x0F05_5112),
        (92, 1),
        (96, 3_045_000),
    ];
    for (at, word) in words {
        page[at..at + 4].copy_from_slice(&word.to_be_bytes());
    }
    page[100] = 0x0d;
    page[105] = 0x10;
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_or_foreign_state_file_is_left_alone_and_named() {
    let foreign = another_programs_database();
    for (content, word) in [
        (b"Dear diary, today".to_vec(), "damaged"),
        (foreign, "another program"),
    ] {
        let stage = stage().await;
        let file = stage.state().join("state.sqlite3");
        std::fs::write(&file, &content).unwrap();
        let told = stage.run("sync", &[]).await;
        refused(&stage, &told, 2, &[word, "state.sqlite3"]);
        assert_eq!(std::fs::read(&file).unwrap(), content);
        assert!(stage.source.sim.requests().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_that_rotted_in_the_middle_is_found_before_anything_is_sent() {
    let stage = stage().await;
    stage.sync_well(&[]).await;
    let file = stage.state().join("state.sqlite3");
    let mut content = std::fs::read(&file).unwrap();
    let pages = content.chunks_mut(4096).skip(1);
    for page in pages {
        page[..64].fill(0xA5);
    }
    std::fs::write(&file, &content).unwrap();
    let before = stage.writes();
    let told = stage.sync(&[]).await;
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("state.sqlite3"), "{told:?}");
    assert_eq!(stage.writes(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host_is_a_failure_and_not_a_mistake_in_usage() {
    let stage = stage().await;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let source = stage.source.web_url();
    let nowhere = format!("http://{closed}/mirrors/checkout");
    let told = ended(stage.bare(&["sync", &source, &nowhere])).await;
    refused(
        &stage,
        &told,
        1,
        &["target:", "check the address", "--proxy"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_refused_until_its_certificate_is_given() {
    let stage = stage().await;
    let front = tls::Front::before(stage.target.server.address()).await;
    let source = stage.source.web_url();
    let target = format!("https://{}/mirrors/checkout", front.address);
    let told = ended(stage.bare(&["sync", &source, &target])).await;
    refused(&stage, &told, 1, &["target:", "certificate", "--ca-file"]);

    let mut mended = stage.bare(&["sync", &source, &target, "--include-closed"]);
    mended.arg("--ca-file").arg(front.ca_file());
    let told = ended(mended).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    oracle::mirrored(&stage);

    let missing = ["sync", &source, &target, "--ca-file", "/nowhere.pem"];
    let told = ended(stage.bare(&missing)).await;
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.err.contains("--ca-file"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_target_and_switched_off_issues_are_told_before_the_first_write() {
    let archived = stage().await;
    archived.target.sim.edit(|world| {
        let project = world.project_mut(archived.target.project).unwrap();
        project.archived = true;
    });
    let told = archived.run("sync", &[]).await;
    refused(&archived, &told, 1, &["target:", "archived", "unarchive"]);

    for side in ["source:", "target:"] {
        let stage = stage().await;
        let end = if side == "source:" {
            &stage.source
        } else {
            &stage.target
        };
        end.sim.edit(|world| {
            let project = world.project_mut(end.project).unwrap();
            project.issues_access_level = FeatureAccess::Disabled;
        });
        let told = stage.run("sync", &[]).await;
        refused(&stage, &told, 1, &[side, "switched off", "switch them on"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_issues_the_token_may_not_read_is_told() {
    let stage = stage().await;
    let source = &stage.source;
    let stranger = source.sim.edit(|world| {
        let project = world.project_mut(source.project).unwrap();
        project.visibility = Visibility::Public;
        project.issues_access_level = FeatureAccess::Private;
        world.add_user(UserSpec::new("stranger", "Stranger"))
    });
    source
        .sim
        .add_token(stranger, TokenSpec::api("glpat-stranger"));
    let mut command = stage.command("sync", &[]);
    command.env("SOURCE_TOKEN", "glpat-stranger");
    let told = ended(command).await;
    refused(&stage, &told, 1, &["source:", "may not read", "role"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_the_same_mirror_ends_at_once_and_says_who_is_running() {
    let stage = stage().await;
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hook: Hook = {
        let (arrived, go) = (arrived.clone(), go.clone());
        Arc::new(move |event| {
            let held = event.method == "POST" && event.phase == Phase::Before;
            let (arrived, go) = (arrived.clone(), go.clone());
            Box::pin(async move {
                if held {
                    arrived.notify_one();
                    go.notified().await;
                    go.notify_one();
                }
                HookVerdict::Go
            })
        })
    };
    stage.target.sim.set_hook(hook);
    let first = stage
        .command("sync", &["--include-closed"])
        .spawn()
        .unwrap();
    let pid = format!("pid {}", first.id().unwrap());
    within(arrived.notified()).await;
    let second = stage.sync(&[]).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    for word in ["another sync of this mirror is running", &pid, "wait"] {
        assert!(second.err.contains(word), "{second:?}");
    }
    go.notify_one();
    let first = finish(first).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    oracle::mirrored(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mirror_of_the_same_state_runs_beside() {
    let stage = stage().await;
    let other = stage.target.sim.edit(|world| {
        world.add_project(ProjectSpec::new(
            "mirrors/other",
            &[(stage.target.user, AccessLevel::Owner)],
        ))
    });
    let source = stage.source.web_url();
    let target = format!("{}/mirrors/other", stage.target.server.url());
    let beside = stage.bare(&["sync", &source, &target, "--include-closed"]);
    let (one, two) = tokio::join!(stage.sync(&[]), ended(beside));
    assert_eq!((one.code, two.code), (Some(0), Some(0)), "{one:?} {two:?}");
    oracle::mirrored(&stage);
    let issues = stage.target.sim.world(|world| world.issues(other).count());
    assert_eq!(issues, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn even_the_wordiest_log_holds_no_token() {
    let stage = stage().await;
    let mut command = stage.command("sync", &["--include-closed"]);
    command.env("ISSUE_MIRROR_LOG", "trace");
    let told = ended(command).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.len() > 1_000, "the log is there");
    told.keeps_the_tokens_to_itself();
    for entry in std::fs::read_dir(stage.state()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            for token in [SOURCE_TOKEN, TARGET_TOKEN] {
                let token = token.as_bytes();
                let found = content.windows(token.len()).any(|bytes| bytes == token);
                assert!(!found, "{}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_was_renamed_is_found_by_the_address_it_had() {
    let stage = stage().await;
    let old = [stage.source.web_url(), stage.target.web_url()];
    stage.sync_well(&[]).await;
    let writes = stage.writes();
    let (source, target) = (&stage.source, &stage.target);
    source.sim.rename_project(source.project, "shop/till");
    target.sim.rename_project(target.project, "mirrors/till");
    let told = ended(stage.bare(&["sync", &old[0], &old[1], "--include-closed"])).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(stage.writes(), writes);
    oracle::mirrored(&stage);
}
