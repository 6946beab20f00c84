//! Changes put on record, with the request that asked for them.

use super::Client;
use crate::{edge::RequestId, problem::Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use mirror_store::{AuditEntry, Store};
use serde_json::Value;
use std::convert::Infallible;

/// Where a change comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    request_id: Option<String>,
    address: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.extensions.get::<RequestId>();
        let client = parts.extensions.get::<Client>();
        Ok(Self {
            request_id: id.map(|RequestId(id)| id.clone()),
            address: client.and_then(Client::name),
        })
    }
}

impl Trail {
    /// Puts a change on record: who did what to what, how that was, and how it is now.
    pub(crate) async fn record(
        &self,
        store: &Store,
        (who, what, object): (&str, &str, &str),
        (before, after): (Option<Value>, Option<Value>),
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            who,
            what,
            object,
            before,
            after,
            request_id: self.request_id.as_deref(),
            address: self.address.as_deref(),
        };
        Ok(store.audit(&entry).await?)
    }
}
