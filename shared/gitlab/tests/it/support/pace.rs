use mirror_core::ports::{Admission, BoxFuture, Charge, Observation, Pace};
use std::{collections::VecDeque, sync::Mutex};

/// Lets everything pass, unless told otherwise, and writes down what it is told.
#[derive(Default)]
pub(crate) struct TestPace {
    admissions: Mutex<VecDeque<Admission>>,
    charges: Mutex<Vec<Charge>>,
    observations: Mutex<Vec<Observation>>,
}

impl TestPace {
    /// The next answers; after them everything passes again.
    pub(crate) fn answer(&self, admissions: impl IntoIterator<Item = Admission>) {
        self.admissions.lock().unwrap().extend(admissions);
    }

    pub(crate) fn charges(&self) -> Vec<Charge> {
        self.charges.lock().unwrap().clone()
    }

    pub(crate) fn observations(&self) -> Vec<Observation> {
        self.observations.lock().unwrap().clone()
    }
}

impl Pace for TestPace {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        self.charges.lock().unwrap().push(charge.clone());
        let next = self.admissions.lock().unwrap().pop_front();
        Box::pin(async move { next.unwrap_or(Admission::Go) })
    }

    fn learn(&self, _: &Charge, observation: &Observation) {
        self.observations.lock().unwrap().push(observation.clone());
    }
}
