//! Answers that get lost on their way.

use super::{oracle, stage::Stage, world};
use gitlab_sim::{Fault, FaultRule, When};

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_all_answers_to_creates_may_be_lost() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 12);
    stage.target.sim.fail(FaultRule::new(
        "POST",
        "",
        When::Share(0.2),
        Fault::LoseResponse,
    ));
    let arguments = ["--late-landing", "1"];
    let mut last = stage.sync(&arguments).await;
    // An issue that met too many losses in one run is tried again by the next.
    for _ in 0..4 {
        if last.code == Some(0) {
            break;
        }
        last = stage.sync(&arguments).await;
    }
    assert_eq!(last.code, Some(0), "{last:?}");
    let requests = stage.target.sim.requests();
    let lost = requests.iter().filter(|one| one.status.is_none()).count();
    assert!(lost >= 5, "only {lost} answers were lost");
    stage.target.sim.clear_faults();
    oracle::mirrored(&stage);
}
