//! What a request is answered with, and GitLab's several shapes of error (facts section 1).

use serde_json::{Value, json};

use crate::model::{Content, EditError};

/// An answer before it becomes HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: AnswerBody,
}

#[derive(Clone, Debug)]
pub(crate) enum AnswerBody {
    Empty,
    Json(Value),
    Text(String),
    Html(String),
    File { content: Content, filename: String },
}

impl Answer {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: AnswerBody::Json(value),
        }
    }

    pub(crate) fn ok(value: Value) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn created(value: Value) -> Self {
        Self::json(201, value)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: AnswerBody::Empty,
        }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: AnswerBody::Text(text.to_owned()),
        }
    }

    pub(crate) fn html(status: u16, html: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: AnswerBody::Html(html.to_owned()),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn with_all(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Box<Answer>);

/// What every endpoint returns.
pub(crate) type Reply = Result<Answer, ApiError>;

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        *error.0
    }
}

impl From<Answer> for ApiError {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

impl ApiError {
    /// `{"message": "…"}`.
    pub(crate) fn message(status: u16, text: &str) -> Self {
        Answer::json(status, json!({ "message": text })).into()
    }

    /// `{"error": "…"}`, as Grape's own validation says it.
    pub(crate) fn error(status: u16, text: &str) -> Self {
        Answer::json(status, json!({ "error": text })).into()
    }

    /// `{"message": {"field": ["…"]}}`.
    pub(crate) fn field(field: &str, text: &str) -> Self {
        Answer::json(400, json!({ "message": { field: [text] } })).into()
    }

    /// A note that is not valid: a Ruby-formatted text (facts section 2).
    pub(crate) fn note(field: &str, text: &str) -> Self {
        Self::message(
            400,
            &format!("400 Bad request - Note {{:{field}=>[\"{text}\"]}}"),
        )
    }

    pub(crate) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    pub(crate) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    /// `404 Project Not Found` and its kin.
    pub(crate) fn missing(what: &str) -> Self {
        Self::message(404, &format!("404 {what} Not Found"))
    }

    /// A record that is not there or not to be seen.
    pub(crate) fn not_found() -> Self {
        Self::message(404, "404 Not found")
    }

    /// No such endpoint.
    pub(crate) fn no_route() -> Self {
        Self::error(404, "404 Not Found")
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NoSuchProject(_) => Self::missing("Project"),
            EditError::NoSuchUser(_)
            | EditError::NoSuchIssue(..)
            | EditError::NoSuchNote(_)
            | EditError::NoSuchLink => Self::not_found(),
            EditError::NoSuchLabel(_) => Self::missing("Label"),
            EditError::DuplicateIid(_) => Self::message(409, "Duplicated issue"),
            EditError::TooManyNotes => Self::note("base", "Maximum number of comments exceeded"),
            EditError::TimeBelowZero => {
                Self::field("base", "Time to subtract exceeds the total time spent")
            }
            EditError::LabelExists(_) => Self::message(409, "Label already exists"),
        }
    }
}
