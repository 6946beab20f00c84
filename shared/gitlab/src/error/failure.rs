//! One failed request, in full.

use super::ErrorKind;
use crate::call::Subject;
use chrono::{DateTime, Utc};
use http::StatusCode;
use std::fmt;

/// What went wrong with one request. Names the request (never its query, never the token), the
/// status and GitLab's own words.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    subject: Subject,
    status: Option<StatusCode>,
    kind: ErrorKind,
    message: Option<String>,
    retry_at: Option<DateTime<Utc>>,
    over_cap: bool,
}

impl Error {
    pub(crate) fn new(subject: &Subject, kind: ErrorKind) -> Self {
        let retry_at = if let ErrorKind::Throttled { until } = &kind {
            Some(*until)
        } else {
            None
        };
        Self(Box::new(Inner {
            subject: subject.clone(),
            status: None,
            kind,
            message: None,
            retry_at,
            over_cap: false,
        }))
    }

    pub(crate) fn malformed(subject: &Subject, what: impl Into<String>) -> Self {
        Self::new(subject, ErrorKind::Malformed { what: what.into() })
    }

    pub(crate) fn over_cap(subject: &Subject, cap: u64) -> Self {
        let mut error = Self::malformed(subject, format!("longer than {cap} bytes"));
        error.0.over_cap = true;
        error
    }

    pub(crate) fn unsendable(subject: &Subject, what: impl Into<String>) -> Self {
        Self::new(subject, ErrorKind::Unsendable { what: what.into() })
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_message(mut self, message: Option<String>) -> Self {
        self.0.message = message;
        self
    }

    pub(crate) fn with_retry_at(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.0.retry_at = at.or(self.0.retry_at);
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The status, where there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// GitLab's own words, shortened, on one line.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Whether the answer was longer than the client takes: of a list, fewer rows are to be asked
    /// for at a time.
    pub fn is_over_cap(&self) -> bool {
        self.0.over_cap
    }

    /// The request, `GET /projects/7/issues/3`.
    pub fn request(&self) -> String {
        self.0.subject.to_string()
    }

    /// Host (and port) of the instance asked.
    pub fn instance(&self) -> &str {
        self.0.subject.instance()
    }

    /// The earliest time at which sending again makes sense, where the answer or the known limits
    /// tell one; by this process's clock. Such a failure is a wait, not a fault.
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.0.retry_at
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let ErrorKind::Transport(error) | ErrorKind::Input(error) = &self.0.kind {
            return Some(error);
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            subject,
            status,
            kind,
            message,
            ..
        } = &*self.0;
        write!(f, "{subject} on {}", subject.instance())?;
        if let Some(status) = status {
            write!(f, " answered {}", status.as_u16())?;
        }
        write!(f, ": {kind}")?;
        if let Some(message) = message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}
