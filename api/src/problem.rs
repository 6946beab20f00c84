//! What is said when a request cannot be served: `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mirror_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// What kind of problem it is. Its name is the end of a `type` that stays the same for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The request cannot be read.
    BadRequest,
    /// Nobody is named who may do this.
    Unauthorized,
    /// Whoever is named may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// This resource knows no such method.
    MethodNotAllowed,
    /// It took too long to send.
    RequestTimeout,
    /// It contradicts what is there.
    Conflict,
    /// It has changed since it was read.
    PreconditionFailed,
    /// It is larger than this resource takes.
    TooLarge,
    /// It is not JSON.
    UnsupportedMediaType,
    /// It can be read, but says what cannot be.
    Unprocessable,
    /// It does not say which state it was decided on.
    PreconditionRequired,
    /// Too often.
    TooManyRequests,
    /// A mistake of ours.
    Internal,
    /// A part that is needed does not answer.
    Unavailable,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// As the end of the problem's `type`, and in words.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", "The request cannot be read"),
            Self::Unauthorized => ("unauthorized", "Nobody is named who may do this"),
            Self::Forbidden => ("forbidden", "This takes another role"),
            Self::NotFound => ("not-found", "There is no such thing"),
            Self::MethodNotAllowed => ("method-not-allowed", "No such method here"),
            Self::RequestTimeout => ("request-timeout", "The request took too long to arrive"),
            Self::Conflict => ("conflict", "It contradicts what is there"),
            Self::PreconditionFailed => ("precondition-failed", "It has changed since"),
            Self::TooLarge => ("too-large", "The request is too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", "It is not JSON"),
            Self::Unprocessable => ("invalid", "Something in the request cannot be"),
            Self::PreconditionRequired => ("precondition-required", "If-Match is missing"),
            Self::TooManyRequests => ("too-many-requests", "Too often"),
            Self::Internal => ("internal", "A mistake on our side"),
            Self::Unavailable => ("unavailable", "A part that is needed does not answer"),
        }
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where in the body, as a JSON pointer (RFC 6901); for a parameter of the query its name.
    pointer: String,
    /// What is wrong there, and what would do.
    detail: String,
}

impl FieldError {
    /// Wrong at this pointer.
    pub(crate) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// Why a request was not served. Written out, with the request's id, by the outermost layer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
}

/// A problem on the wire (`application/problem+json`).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// What kind of problem: `urn:issue-mirror:problem:…`, which never changes.
    r#type: String,
    /// The kind in words.
    title: &'static str,
    /// The status, again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time, and what would mend it.
    detail: String,
    /// The request's id, which stands in the logs too.
    request_id: String,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

const TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Problem {
    /// Of this kind.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no such {what}"))
    }

    /// This parameter of the query, or header, cannot be.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(Kind::BadRequest, format!("{name}: {detail}"))
            .with(vec![FieldError::at(name, detail)])
    }

    /// These parts of the request cannot be.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let detail = match errors.first() {
            Some(error) if count == 1 => format!("{}: {}", error.pointer, error.detail),
            Some(_) | None => format!("{count} parts of the request cannot be; see errors"),
        };
        Self {
            errors,
            ..Self::new(Kind::Unprocessable, detail)
        }
    }

    /// With what is wrong where.
    #[must_use]
    pub(crate) fn with(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// Worth another try after so many seconds.
    #[must_use]
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Written out.
    pub(crate) fn rendered(self, request_id: &str) -> Response {
        let (name, title) = self.kind.names();
        let status = self.kind.status();
        let body = ProblemBody {
            r#type: format!("urn:issue-mirror:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            request_id: request_id.to_owned(),
            errors: self.errors,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, TYPE);
        if self.kind == Kind::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer realm=\"issue-mirror\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(
                HeaderName::from_static("retry-after"),
                HeaderValue::from(seconds),
            );
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(
            error,
            StoreError::NoSuchMirror(_) | StoreError::NoSuchInstance(_)
        ) {
            return Self::new(Kind::NotFound, error.to_string());
        }
        if matches!(error, StoreError::TitleTaken(_)) {
            return Self::new(Kind::Conflict, error.to_string());
        }
        if error.is_transient() {
            tracing::warn!(%error, "the record does not answer");
            let detail = "the record does not answer; try again";
            return Self::new(Kind::Unavailable, detail).after(2);
        }
        tracing::error!(%error, "a request failed");
        Self::new(
            Kind::Internal,
            "this should not have happened; the log has more under the request's id",
        )
    }
}
