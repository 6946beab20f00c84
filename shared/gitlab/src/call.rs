//! One request, before it is sent.

use crate::transport::{ByteStream, Outgoing};
use bytes::Bytes;
use http::Method;
use mirror_core::ports::Class;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// How a request is called in errors and spans: method, path without query, instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Subject {
    method: Method,
    path: String,
    instance: String,
}

impl Subject {
    pub(crate) fn new(method: Method, path: impl Into<String>, instance: &str) -> Self {
        Self {
            method,
            path: path.into(),
            instance: instance.to_owned(),
        }
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// What a request carries.
pub(crate) enum Payload {
    Nothing,
    Json(Bytes),
    /// Gone once sent: such a request is not repeated.
    Stream {
        // Nothing ever waits for this lock: it makes the call `Sync`, which a stream is not.
        stream: Mutex<Option<ByteStream>>,
        length: Option<u64>,
        content_type: String,
    },
}

impl Payload {
    /// For one attempt; `None` where the one attempt there could be is over.
    pub(crate) fn take(&mut self) -> Option<Outgoing> {
        match self {
            Self::Nothing => Some(Outgoing::Empty),
            Self::Json(bytes) => Some(Outgoing::Bytes(bytes.clone())),
            Self::Stream { stream, length, .. } => stream
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .map(|stream| Outgoing::Stream {
                    stream,
                    length: *length,
                }),
        }
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Json(_) => Some("application/json"),
            Self::Stream { content_type, .. } => Some(content_type),
        }
    }

    /// Whether it can be sent once more.
    pub(crate) fn repeatable(&self) -> bool {
        match self {
            Self::Nothing | Self::Json(_) => true,
            Self::Stream { .. } => false,
        }
    }
}

/// One request, before it is sent.
pub(crate) struct Call {
    pub(crate) subject: Subject,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) class: Class,
    pub(crate) payload: Payload,
    /// Goes to a GitLab, which counts it, and may carry the token; else to an object storage.
    pub(crate) counted: bool,
}

impl Call {
    /// Safe to send any number of times.
    pub(crate) fn reads(&self) -> bool {
        self.method == Method::GET
    }

    pub(crate) fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    pub(crate) fn json(mut self, value: &serde_json::Value) -> Self {
        self.payload = Payload::Json(Bytes::from(value.to_string()));
        self
    }

    pub(crate) fn query<K: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }

    /// Hides what follows the path's beginning, where the path itself would tell a secret or a
    /// file's name.
    pub(crate) fn shown_as(mut self, path: impl Into<String>) -> Self {
        self.subject = Subject {
            path: path.into(),
            ..self.subject
        };
        self
    }
}
