//! Heeds those who want jobs of this process stopped, on whichever host they ask.

use crate::Context;
use mirror_core::ports::Clock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(1);

/// Looks every second, while anything runs, which jobs are to stop before their next write.
pub(super) async fn run(cx: &Context, clock: &dyn Clock, ended: &CancellationToken) {
    while !ended.is_cancelled() {
        if !cx.in_hand.is_empty() {
            match cx.store.stops_asked(&cx.owner).await {
                Ok(tickets) => cx.in_hand.stop(&tickets),
                Err(error) => tracing::warn!(%error, "it is not known which jobs are to stop"),
            }
        }
        ended.run_until_cancelled(clock.sleep(BEAT)).await;
    }
}
