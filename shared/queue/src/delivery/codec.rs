//! A ticket as it lies in Redis.

use apalis_core::backend::codec::Codec;
use mirror_core::job::Ticket;

/// What a worker was given: a ticket, or what cannot be read as one, which must not stop it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Delivered(pub(super) Result<Ticket, Unreadable>);

/// Not a ticket of this version's; how many bytes it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unreadable(pub(super) usize);

/// apalis' name for a ticket: the same ticket sent twice has the same.
pub(super) fn id(ticket: &Ticket) -> String {
    format!("{}-{}", ticket.work.0, ticket.ticket.0)
}

/// The ticket of a name.
pub(super) fn ticket_of(id: &str) -> Option<Ticket> {
    let (work, ticket) = id.rsplit_once('-')?;
    Some(Ticket {
        work: mirror_core::ids::WorkId(work.parse().ok()?),
        ticket: mirror_core::ids::TicketNumber(ticket.parse().ok()?),
    })
}

pub(super) fn encode(ticket: &Ticket) -> Vec<u8> {
    // Two numbers in an object of their own: this cannot fail, and if it did the ticket would be
    // unreadable and owed again.
    serde_json::to_vec(ticket).unwrap_or_default()
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TicketCodec;

impl Codec<Delivered> for TicketCodec {
    type Error = std::convert::Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, delivered: &Delivered) -> Result<Vec<u8>, Self::Error> {
        Ok(delivered.0.as_ref().map(encode).unwrap_or_default())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<Delivered, Self::Error> {
        let ticket = serde_json::from_slice(bytes).map_err(|_| Unreadable(bytes.len()));
        Ok(Delivered(ticket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ids::{TicketNumber, WorkId};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ticket_reads_back_from_its_text_and_from_its_name(work: i64, number: i64) {
            let ticket = Ticket { work: WorkId(work), ticket: TicketNumber(number.saturating_abs()) };
            prop_assert_eq!(ticket_of(&id(&ticket)), Some(ticket));
            prop_assert_eq!(TicketCodec.decode(&encode(&ticket)), Ok(Delivered(Ok(ticket))));
        }

        #[test]
        fn nothing_upsets_the_reader(bytes: Vec<u8>, id in ".{0,40}") {
            let _ = TicketCodec.decode(&bytes);
            let _ = ticket_of(&id);
        }
    }

    #[test]
    fn what_a_newer_version_sends_is_told_apart() {
        let newer = br#"{"work":5,"number":2}"#.to_vec();
        assert_eq!(
            TicketCodec.decode(&newer),
            Ok(Delivered(Err(Unreadable(21))))
        );
    }
}
