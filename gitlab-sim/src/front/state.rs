use super::faults::Faults;
use super::hook::Hook;
use super::landing::Landing;
use super::limits::Limiter;
use super::record::RequestRecord;

/// What the front of one simulated GitLab keeps.
pub(crate) struct Front {
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) count: u64,
    pub(crate) faults: Faults,
    pub(crate) limiter: Limiter,
    pub(crate) landings: Vec<Landing>,
    pub(crate) hook: Option<Hook>,
}

impl Front {
    pub(crate) fn new(fault_seed: u64) -> Self {
        Self {
            requests: Vec::new(),
            count: 0,
            faults: Faults::new(fault_seed),
            limiter: Limiter::default(),
            landings: Vec::new(),
            hook: None,
        }
    }

    /// The record of a request, unless it was cleared meanwhile.
    pub(crate) fn record_of(&mut self, number: u64) -> Option<&mut RequestRecord> {
        let place = self
            .requests
            .binary_search_by_key(&number, |record| record.number)
            .ok()?;
        self.requests.get_mut(place)
    }
}
