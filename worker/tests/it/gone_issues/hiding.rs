//! The copy of a missed issue is hidden first, and what becomes of it where that does not succeed.

use super::{one_deleted, policy};
use gitlab_sim::{Fault, FaultRule, When};
use mirror_core::{
    gone::OnDelete,
    outcome::{Outcome, SkipReason},
};
use mirror_worker::{Notice, Settings};

#[tokio::test]
async fn a_copy_that_could_not_be_hidden_at_first_is_hidden_before_it_is_closed() {
    let settings = Settings::default();
    let (mut world, kept, gone) = one_deleted(&settings).await;
    let fails = FaultRule::new("PUT", "/issues/", When::Always, Fault::ErrorBefore(500));
    world.target.fail(fails);
    world.sweep(&settings).await;
    assert!(!world.copy(gone).issue.confidential);
    world.target.clear_faults();

    world.sweep(&settings).await;
    assert!(world.copy(gone).issue.confidential, "hidden late");
    assert!(!world.is_open(gone) && world.says_why(gone));
    world.assert_mirrored([kept]);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn a_copy_that_was_to_be_kept_is_hidden_when_it_is_to_be_closed() {
    let keeps = policy(OnDelete::Keep);
    let (mut world, _, gone) = one_deleted(&keeps).await;
    world.sweep(&keeps).await;
    assert!(!world.copy(gone).issue.confidential);

    let writes = world.sweep(&Settings::default()).await;
    assert_eq!(writes.len(), 3, "hidden, told why and closed: {writes:?}");
    assert!(world.copy(gone).issue.confidential && !world.is_open(gone));
    assert!(world.notices().contains(&Notice::CopyHidden));
    world.all_went_well().await;
}

#[tokio::test]
async fn a_target_that_does_not_hide_is_told_of() {
    let settings = Settings::default();
    let (mut world, _, gone) = one_deleted(&settings).await;
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().drops_confidential = true);
    world.sweep(&settings).await;
    assert!(!world.copy(gone).issue.confidential);
    assert!(matches!(
        world.outcome(gone),
        Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
    ));
    world.all_went_well().await;

    world.sweep(&settings).await;
    assert!(!world.is_open(gone) && world.says_why(gone));
    assert!(!world.notices().contains(&Notice::CopyHidden));
}
