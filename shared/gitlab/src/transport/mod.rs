//! What carries a request to GitLab and the answer back.

mod body;
mod direct;
mod error;
mod network;

pub use body::{ByteStream, Incoming, Outgoing, Transport};
pub use direct::DirectTransport;
pub use error::{TransportError, TransportErrorKind};
pub use network::{HttpTransport, SetupError};
