//! A client to test, its ports under the test's hand, and servers to talk to.

mod clock;
mod lab;
mod pace;
mod raw;
mod server;

pub(crate) use clock::TestClock;
pub(crate) use lab::{BODY_PATIENCE, Lab, PROJECT, READ_PATIENCE, TOKEN, issue_json, note_json};
pub(crate) use pace::TestPace;
pub(crate) use raw::{Raw, RawServer};
pub(crate) use server::{Seen, Server, html, json, status};
