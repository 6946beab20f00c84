//! Requests that are never answered.

use super::{oracle, stage::Stage, world};
use gitlab_sim::{Fault, FaultRule, When};

/// The request has taken effect or not: nobody can tell but by looking.
async fn hangs(method: &str, path: &str, effect: bool) {
    let stage = Stage::new().await;
    world::fill(&stage.source, 10);
    let sim = &stage.target.sim;
    let never = Fault::Hang { effect };
    sim.fail(FaultRule::new(method, path, When::Nth(2), never));
    let ended = stage
        .sync(&["--request-timeout", "1", "--late-landing", "2"])
        .await;
    assert_eq!(ended.code, Some(0), "{method} {path}: {ended:?}");
    let requests = sim.requests();
    let hung = requests
        .iter()
        .find(|one| one.method == method && one.status.is_none())
        .unwrap_or_else(|| panic!("nothing hung: {method} {path}"));
    if !path.contains("uploads") {
        // Its outcome was looked up; a file that arrives twice does no harm.
        let looked = requests.iter().find(|one| {
            one.method == "GET" && one.number > hung.number && one.path.contains("/issues")
        });
        assert!(looked.is_some(), "{method} {path}: {requests:?}");
    }
    // The others went on meanwhile.
    let meanwhile = requests
        .iter()
        .filter(|one| one.number > hung.number && one.effect)
        .count();
    assert!(meanwhile > 10, "{meanwhile}");
    sim.clear_faults();
    oracle::mirrored(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_is_never_answered_is_given_up_and_looked_for() {
    tokio::join!(
        hangs("POST", "/issues$", true),
        hangs("POST", "/issues$", false),
        hangs("POST", "/notes$", true),
        hangs("POST", "/notes$", false),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logged_time_that_is_never_answered_is_given_up_and_looked_for() {
    tokio::join!(
        hangs("POST", "/add_spent_time$", true),
        hangs("POST", "/add_spent_time$", false),
        hangs("PUT", "/issues/[0-9]+$", true),
        hangs("POST", "/uploads$", true),
    );
}
