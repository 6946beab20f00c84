//! The body of a write: a JSON object that holds only what there is.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

#[derive(Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The field, if there is a value for it.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    pub(crate) fn into_json(self) -> Value {
        self.0.into()
    }
}

/// With all the digits there are: a bound that was rounded up would skip a row.
pub(crate) fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
