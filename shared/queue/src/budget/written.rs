//! How the parts of a budget are written down, for other processes to read.
//!
//! Times are whole milliseconds, rounded up: what is forgotten or opened at a time then is so a
//! little later, never earlier.

use super::limit::Limit;
use mirror_core::ports::{Class, Entropy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::time::Duration;

/// The process that sent a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Owner(pub(super) u32);

impl Owner {
    /// Where there is but one.
    pub(super) const ME: Self = Self(0);

    pub(super) fn random(entropy: &dyn Entropy) -> Self {
        let [a, b, c, d, ..] = entropy.next_u64().to_be_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

fn rounded_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(super) mod millis {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        rounded_up(*time).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

pub(super) mod millis_or_none {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(rounded_up).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let time = Option::<u64>::deserialize(deserializer)?;
        Ok(time.map(Duration::from_millis))
    }
}

/// A yes or no in one character.
pub(super) mod flag {
    use super::*;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(in super::super) fn serialize<S: Serializer>(
        flag: &bool,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        u8::from(*flag).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<bool, D::Error> {
        u8::deserialize(deserializer).map(|flag| flag != 0)
    }
}

/// Slots as the time since the one before, the number, and so on: most are near each other.
pub(super) mod slots {
    use super::*;
    use crate::budget::places::Slot;
    use std::collections::VecDeque;

    pub(in super::super) fn serialize<S: Serializer>(
        slots: &VecDeque<Slot>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut before = 0_u64;
        let differences = slots.iter().flat_map(|slot| {
            let at = rounded_up(slot.at);
            let apart = at.saturating_sub(before);
            before = before.max(at);
            [apart, slot.requests]
        });
        serializer.collect_seq(differences)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<VecDeque<Slot>, D::Error> {
        let differences = Vec::<u64>::deserialize(deserializer)?;
        let mut at = 0_u64;
        let slots = differences.as_chunks::<2>().0.iter();
        Ok(slots
            .map(|[apart, requests]| {
                at = at.saturating_add(*apart);
                Slot {
                    at: Duration::from_millis(at),
                    requests: *requests,
                }
            })
            .collect())
    }
}

pub(super) mod limit {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        limit: &Limit,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(limit)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Limit, D::Error> {
        let text = String::deserialize(deserializer)?;
        Limit::parse(&text).map_err(D::Error::custom)
    }
}

pub(super) mod class {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        class: &Class,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        class.name().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Class, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Class::ALL.into_iter().find(|class| class.name() == name);
        known.ok_or_else(|| D::Error::custom(format!("unknown class `{name}`")))
    }
}
