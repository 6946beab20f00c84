//! What a sync costs.

use super::stage::{Stage, source_sim, target_sim};
use gitlab_sim::{SimClock, seed};
use mirror_core::ports::Clock;
use mirror_runtime::SystemClock;
use std::time::Duration;

const ISSUES: u64 = 200;
const COMMENTS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_costs_hardly_more_than_what_it_writes_and_a_second_writes_nothing() {
    let stage = Stage::new().await;
    let source = &stage.source;
    seed::plain(&source.sim, source.project, ISSUES, COMMENTS).unwrap();
    // The label of mirrored issues is no part of the figure; made once, it would be one more.
    stage.sync_well(&["--mirrored-label", ""]).await;
    let requests = source.sim.requests().len() + stage.target.sim.requests().len();
    let written = ISSUES + ISSUES * COMMENTS;
    let read = ISSUES.div_ceil(100) + ISSUES;
    let setting_up = 10;
    // Two in a hundred more.
    let allowed = (written + read + setting_up) * 102 / 100;
    assert!(requests as u64 <= allowed, "{requests} > {allowed}");
    let counted = stage.target.sim.world(|world| {
        let issues = world.issues(stage.target.project);
        issues.map(|issue| issue.user_notes_count()).sum::<usize>()
    });
    assert_eq!(counted as u64, ISSUES * COMMENTS);

    let writes = stage.writes();
    let second = stage.sync_well(&["--mirrored-label", "", "--json"]).await;
    assert_eq!(stage.writes(), writes, "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_five_minutes_later_is_one_list_request_on_each_side_beyond_set_up() {
    let clock = SimClock::manual(SystemClock::new().now());
    let between = (
        source_sim().clock(clock.clone()),
        target_sim().clock(clock.clone()),
    );
    let stage = Stage::between(between.0, between.1).await;
    let source = &stage.source;
    seed::plain(&source.sim, source.project, 20, 2).unwrap();
    stage.sync_well(&[]).await;
    clock.advance(Duration::from_secs(300));
    for end in [&stage.source, &stage.target] {
        end.sim.clear_requests();
    }
    stage.sync_well(&[]).await;
    for end in [&stage.source, &stage.target] {
        let requests = end.sim.requests();
        let lists = requests
            .iter()
            .filter(|one| one.path.contains("/issues"))
            .count();
        assert_eq!(lists, 1, "{requests:?}");
        // Who am I, what may I, what runs here, which project.
        assert!(requests.len() <= 1 + 5, "{requests:?}");
    }
}
