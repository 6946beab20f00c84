//! Processes that die at a moment of the target's.

use super::World;
use gitlab_sim::{HookVerdict, Phase};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

impl World {
    /// Lets the process die when its `nth` such request to the target has taken effect, before that
    /// is answered; another process takes over.
    pub(crate) async fn killed_after(&mut self, nth: u64, method: &'static str, end: &'static str) {
        let (death, met) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
        let struck = death.clone();
        self.target.set_hook(Arc::new(move |event| {
            let is_it = event.method == method && event.path.ends_with(end);
            if is_it && event.phase == Phase::Before {
                met.fetch_add(1, Ordering::Relaxed);
            }
            let now = event.phase == Phase::After && met.load(Ordering::Relaxed) == nth;
            let dies = is_it && now;
            let struck = struck.clone();
            Box::pin(async move {
                if dies {
                    struck.notify_one();
                    std::future::pending::<()>().await;
                }
                HookVerdict::Go
            })
        }));
        tokio::select! {
            () = self.run() => panic!("there was no {method} {end} number {nth}"),
            () = death.notified() => {}
        }
        self.target.clear_hook();
        self.restart().await;
    }
}
