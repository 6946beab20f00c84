//! Everything between the wire and the API: records, limits, faults, bodies.

mod admission;
mod error_pages;
pub(crate) mod faults;
pub(crate) mod hook;
mod intake;
mod landing;
pub(crate) mod limits;
pub(crate) mod lost;
pub(crate) mod pipeline;
pub(crate) mod record;
mod respond;
mod router;
mod state;

pub(crate) use state::Front;
