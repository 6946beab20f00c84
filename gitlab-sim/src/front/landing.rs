//! Requests whose effect comes late: held by a stalled worker or a proxy.

use chrono::{DateTime, Utc};

use crate::api::call::Call;
use crate::api::route;
use crate::sim::State;

/// A request still on its way.
pub(crate) struct Landing {
    pub(crate) due: DateTime<Utc>,
    pub(crate) number: u64,
    pub(crate) call: Call,
}

impl State {
    /// Lets land what is due by now, each at its own moment.
    pub(crate) fn land_what_is_due(&mut self) {
        let now = self.world.clock.now();
        while let Some(place) = self
            .front
            .landings
            .iter()
            .enumerate()
            .filter(|(_, landing)| landing.due <= now)
            .min_by_key(|(_, landing)| landing.due)
            .map(|(place, _)| place)
        {
            let landing = self.front.landings.swap_remove(place);
            let before = self.world.changes.len();
            self.world
                .at(landing.due, |world| route::handle(world, &landing.call));
            let effect = self.world.changes.len() > before;
            if let Some(record) = self.front.record_of(landing.number) {
                record.effect |= effect;
            }
        }
    }
}
