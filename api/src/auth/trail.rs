//! Changes put on record, with the request that asked for them.

use super::Client;
use crate::{access::Caller, edge::RequestId, problem::Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use mirror_store::{AuditEntry, Store};
use serde_json::Value;
use std::convert::Infallible;

/// Who makes a change, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    who: String,
    request_id: Option<String>,
    address: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let id = parts.extensions.get::<RequestId>();
        let client = parts.extensions.get::<Client>();
        Ok(Self {
            who: caller.map_or_else(|| "nobody".to_owned(), |caller| caller.name.clone()),
            request_id: id.map(|RequestId(id)| id.clone()),
            address: client.and_then(Client::name),
        })
    }
}

impl Trail {
    /// As the audit names them.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// Of somebody who was not known yet when the request came.
    pub(crate) fn of(&self, who: &str) -> Self {
        Self {
            who: who.to_owned(),
            ..self.clone()
        }
    }

    /// Puts a change on record: what was done to what, how that was, and how it is now.
    pub(crate) async fn record(
        &self,
        store: &Store,
        what: &str,
        object: &str,
        (before, after): (Option<Value>, Option<Value>),
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            who: &self.who,
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
