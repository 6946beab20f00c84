//! `plan`, `doctor` and `demo`, and what they say to scripts.

use super::{
    oracle,
    stage::{Stage, ended, within},
    tls, world,
};
use gitlab_sim::TokenSpec;
use serde_json::Value;
use tokio::process::Command;

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_sends_nothing_and_counts_what_a_sync_then_sends() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 18);
    let plan = stage
        .run(
            "plan",
            &["--include-closed", "--json", "--detailed-exitcode"],
        )
        .await;
    assert_eq!(plan.code, Some(3), "{plan:?}");
    assert_eq!(stage.writes(), 0);
    let plan = plan.json();
    let by_issue = plan["issues"].as_array().unwrap();
    let sum: u64 = by_issue
        .iter()
        .map(|issue| issue["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(plan["requests"].as_u64(), Some(sum));

    let again = stage.run("plan", &["--include-closed", "--json"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.json()["requests"], plan["requests"]);

    for end in [&stage.source, &stage.target] {
        end.sim.clear_requests();
    }
    stage.sync_well(&[]).await;
    let downloads = stage.source.sim.requests();
    let downloads = downloads
        .iter()
        .filter(|one| one.path.contains("/uploads/"))
        .count();
    assert!(downloads > 0);
    assert_eq!((stage.writes() + downloads) as u64, sum);
    oracle::mirrored(&stage);

    let plan = stage
        .run("plan", &["--include-closed", "--detailed-exitcode"])
        .await;
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.out.contains("0 to create, 0 to update"), "{plan:?}");
    assert!(plan.out.contains("; 0 requests"), "{plan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_which_text_is_written_twice_because_it_refers_to_a_later_issue() {
    let stage = Stage::new().await;
    world::add_issue(&stage.source, "First", "Before #2.");
    world::add_issue(&stage.source, "Second", "After #1.");
    let one_by_one = ["--concurrency", "1"];
    let shown = stage.run("plan", &one_by_one).await;
    assert_eq!(shown.out.matches("change description").count(), 1);
    let plan = stage.run("plan", &["--concurrency", "1", "--json"]).await;
    let plan = plan.json();
    let first = &plan["issues"][0];
    assert_eq!(
        (&first["issue"], &first["create"]),
        (&1.into(), &true.into())
    );
    for end in [&stage.source, &stage.target] {
        end.sim.clear_requests();
    }
    stage.sync_well(&one_by_one).await;
    assert_eq!(plan["requests"].as_u64(), Some(stage.writes() as u64));
    let again = stage.run("plan", &["--detailed-exitcode"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_leaves_the_record_as_it_was() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 3);
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(stage.state())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("plan"))
            .collect();
        names.sort();
        names
    };
    stage.run("plan", &["--include-closed"]).await;
    assert_eq!(files(), [""; 0]);
    stage.sync_well(&[]).await;
    let writes = stage.writes();
    stage.run("plan", &["--full", "--include-closed"]).await;
    assert_eq!(files(), [""; 0]);
    stage.sync_well(&[]).await;
    assert_eq!(stage.writes(), writes, "a second sync writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_nothing_of_what_is_confidential() {
    let stage = Stage::new().await;
    let author = world::author(&stage.source);
    stage.source.sim.edit(|world| {
        let spec = gitlab_sim::IssueSpec {
            author,
            title: "Layoffs in March".to_owned(),
            description: Some("Secret plan".to_owned()),
            labels: vec!["severance".to_owned()],
            confidential: true,
            ..gitlab_sim::IssueSpec::default()
        };
        let iid = world.create_issue(stage.source.project, spec).unwrap();
        let note = gitlab_sim::NoteSpec::new(author, "Names follow");
        world.add_note(stage.source.project, iid, note).unwrap();
    });
    world::add_issue(&stage.source, "An open matter", "For all to see");
    for more in [vec![], vec!["--json"]] {
        let plan = stage.run("plan", &more).await;
        assert!(plan.out.contains("An open matter"), "{plan:?}");
        let told = format!("{}{}", plan.out, plan.err);
        for secret in ["Layoffs", "Secret plan", "severance", "Names follow"] {
            assert!(!told.contains(secret), "{secret}: {plan:?}");
        }
    }
    assert_eq!(stage.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_tells_scripts_what_it_did() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 4);
    let told = stage.sync_well(&["--json"]).await;
    let report = told.json();
    assert_eq!(report["created"], 4);
    assert_eq!(report["comments"], 16);
    assert_eq!(report["in_sync"], true);
    let of = |end: &super::stage::End| Value::from(end.sim.requests().len());
    assert_eq!(report["requests"]["source"], of(&stage.source));
    assert_eq!(report["requests"]["target"], of(&stage.target));
    let told = stage.sync_well(&["--issue", "2", "--full", "--json"]).await;
    assert_eq!(told.json()["unchanged"], 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_a_mend_for_everything_that_is_wrong() {
    let stage = Stage::new().await;
    let well = stage.run("doctor", &["--json"]).await;
    assert_eq!(well.code, Some(0), "{well:?}");
    let findings = well.json();
    let findings = findings.as_array().unwrap();
    assert!(findings.len() > 4, "{findings:?}");

    let (user, sim) = (stage.target.user, &stage.target.sim);
    sim.add_token(user, TokenSpec::read_api("glpat-reads-only"));
    let front = tls::Front::before(stage.source.server.address()).await;
    let untrusted = format!("https://{}/shop/checkout", front.address);
    let target = stage.target.web_url();
    for json in [true, false] {
        let mut doctor = stage.bare(&["doctor", &untrusted, &target]);
        doctor.env("TARGET_TOKEN", "glpat-reads-only");
        if json {
            doctor.arg("--json");
        }
        let ill = ended(doctor).await;
        assert_eq!(ill.code, Some(1), "{ill:?}");
        ill.keeps_the_tokens_to_itself();
        for mend in ["--ca-file", "make one with scope api"] {
            assert!(ill.out.contains(mend), "{ill:?}");
        }
        if json {
            let findings = ill.json();
            for finding in findings.as_array().unwrap() {
                let fine = finding["level"] == "ok";
                let mend = finding["mend"].as_str().unwrap();
                assert!(fine || !mend.is_empty(), "{finding}");
            }
        }
    }
    assert_eq!(stage.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_how_to_mend_a_broken_state_too() {
    let stage = Stage::new().await;
    std::fs::write(stage.state().join("state.sqlite3"), "Dear diary").unwrap();
    let ill = ended(stage.bare(&["doctor", "--json"])).await;
    assert_eq!(ill.code, Some(1), "{ill:?}");
    let findings = ill.json();
    let broken = &findings.as_array().unwrap()[0];
    assert_ne!(broken["level"], "ok");
    assert!(!broken["mend"].as_str().unwrap().is_empty(), "{broken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_mirrors_once_and_says_so_to_scripts() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_issue-mirror"));
    demo.args(words("demo --once --json")).env_clear();
    let output = within(demo.kill_on_drop(true).output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["in_sync"], true);
    assert!(report["created"].as_u64().unwrap() > 30, "{report}");
}
