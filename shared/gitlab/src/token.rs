//! The secret, kept out of everything that is printed.

use http::HeaderValue;
use std::fmt;

/// An access token. It is neither printed nor serialised; only [`Client`](crate::Client) reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// No token of GitLab's is shorter; a stray word in its place is not hunted for in every answer.
const SHORTEST: usize = 8;

const REDACTED: &str = "[redacted]";

impl Token {
    /// Takes the secret; white space around it (a file's last newline) is dropped.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into().trim().to_owned())
    }

    /// As a header that HTTP libraries, too, keep out of their logs; `None` where the secret holds
    /// a character that no header may hold, and so was no token of GitLab's.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The text without the secret, should somebody have echoed it.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.len() < SHORTEST {
            return text.to_owned();
        }
        text.replace(&self.0, REDACTED)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
