//! No request leaves once the process is to end.

use mirror_core::ports::{Admission, BoxFuture, Charge, Clock, Observation, Pace};
use mirror_runtime::Shutdown;
use std::sync::Arc;

/// Stands before the budget and lets nothing through once a shutdown is asked for. A job that only
/// reads (a scan of a large project) so stops as soon as one that writes; as far as it knows it
/// waits for a limit that ends at once, which costs no attempt.
pub struct UntilShutdown {
    budget: Arc<dyn Pace>,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
}

impl UntilShutdown {
    /// Before this budget.
    pub fn new(budget: Arc<dyn Pace>, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Self {
        Self {
            budget,
            shutdown,
            clock,
        }
    }

    fn closed(&self) -> Admission {
        Admission::NotBefore(self.clock.now())
    }
}

impl Pace for UntilShutdown {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        Box::pin(async move {
            // The shutdown first: what the budget has admitted it must be told of.
            tokio::select! {
                biased;
                () = self.shutdown.requested() => self.closed(),
                admission = self.budget.admit(charge) => admission,
            }
        })
    }

    fn learn(&self, charge: &Charge, observation: &Observation) {
        self.budget.learn(charge, observation);
    }
}
