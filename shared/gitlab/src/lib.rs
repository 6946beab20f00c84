//! GitLab REST client of Issue Mirror: one `send()`, paced, origin-guarded, with typed errors.
//!
//! A [`Client`] speaks to one instance with one token. Every request leaves through one function,
//! which asks the [`Pace`](mirror_core::ports::Pace), adds the token (for the instance's own origin
//! only), bounds every wait by the [`Clock`](mirror_core::ports::Clock) and learns from the answer.
//! What carries the bytes is a [`Transport`]: [`HttpTransport`] over the network,
//! [`DirectTransport`] into a service of this very process.

mod answer;
mod call;
mod calls;
mod client;
mod endpoints;
mod error;
mod guarded;
mod limits;
mod message;
mod options;
mod origin;
mod pace;
mod page;
mod retry;
mod send;
mod token;
mod transport;
mod wire;

pub use answer::Stamped;
pub use calls::{Calls, Errand, Sent};
pub use client::Client;
pub use endpoints::{
    CreatedLabel, Download, Hook, HookSpec, IssueChange, IssuePage, IssueQuery, LabelEvent,
    NewIssue, NewNote, NoteReply, Sort, StateEvent, Uploaded,
};
pub use error::{Conflict, Error, ErrorKind, Fate, TokenFault};
pub use options::Options;
pub use token::Token;
pub use transport::{
    ByteStream, DirectTransport, HttpTransport, Incoming, Outgoing, SetupError, Transport,
    TransportError, TransportErrorKind,
};
