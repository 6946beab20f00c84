//! A test's own word at request boundaries.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Asked before and after each request's effect.
pub type Hook = Arc<dyn Fn(RequestEvent) -> BoxFuture<'static, HookVerdict> + Send + Sync>;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It arrived, nothing happened yet.
    Before,
    /// Its effect happened, the answer is not sent yet.
    After,
}

/// What a hook is told.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    /// Number of the request, from 1.
    pub number: u64,
    /// Such as `POST`.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Before or after the effect.
    pub phase: Phase,
}

/// What a hook wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookVerdict {
    /// Go on.
    Go,
    /// Never answer.
    Hang,
    /// Cut the connection.
    Reset,
}
