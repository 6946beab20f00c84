//! Mistakes that an engine could make, made by what surrounds it: a way, a clock, a delivery or a
//! setting that lies. The engine itself has no switch for them.

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, header};
use mirror_worker::Side;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    /// What was sent and not answered is not looked for: nothing is ever found.
    NothingIsLookedFor,
    /// An empty list is believed.
    EmptyListIsBelieved,
    /// A create without an answer is sent again at once.
    SentAgainBlindly,
    /// A create that may still land is not waited for.
    LateLandingIsNotWaitedFor,
    /// Whoever lost the lease goes on.
    LeaseIsIgnored,
    /// Bodies carry no marker.
    NoMarker,
    /// All issues carry the same marker.
    SharedMarker,
    /// Text is not made inert.
    NoEscape,
    /// A change is noticed by the title alone.
    TitleAlone,
    /// Each body says when it was written.
    LastSynced,
    /// Labels are written as a whole list.
    WholeListOfLabels,
    /// An issue is hidden after it has been filled.
    HiddenLast,
    /// An internal comment is written as any other.
    InternalIsForgotten,
    /// Logged time is added once more.
    TimeTwice,
    /// What the delivery lost is not owed any more.
    LostWithTheDelivery,
    /// An answer is believed before the comment is there.
    CommentIsNotWritten,
    /// What is not to be seen once is taken for gone.
    GoneAtFirstSight,
    /// All issues are taken, whatever was asked for.
    FilterIsForgotten,
    /// Edits on the target are overwritten where they are to be kept.
    EditsAreOverwritten,
    /// Nothing flows back, although two mirrors are a pair.
    PairIsForgotten,
}

impl Mistake {
    pub(super) const ALL: [Self; 20] = [
        Self::NothingIsLookedFor,
        Self::EmptyListIsBelieved,
        Self::SentAgainBlindly,
        Self::LateLandingIsNotWaitedFor,
        Self::LeaseIsIgnored,
        Self::NoMarker,
        Self::SharedMarker,
        Self::NoEscape,
        Self::TitleAlone,
        Self::LastSynced,
        Self::WholeListOfLabels,
        Self::HiddenLast,
        Self::InternalIsForgotten,
        Self::TimeTwice,
        Self::LostWithTheDelivery,
        Self::CommentIsNotWritten,
        Self::GoneAtFirstSight,
        Self::FilterIsForgotten,
        Self::EditsAreOverwritten,
        Self::PairIsForgotten,
    ];

    /// The kind of runs that it concerns.
    pub(super) fn manner(self) -> &'static str {
        match self {
            Self::GoneAtFirstSight => "gone",
            Self::FilterIsForgotten => "ruled",
            Self::EditsAreOverwritten => "protecting",
            Self::PairIsForgotten => "paired",
            Self::NothingIsLookedFor
            | Self::EmptyListIsBelieved
            | Self::SentAgainBlindly
            | Self::LateLandingIsNotWaitedFor
            | Self::LeaseIsIgnored
            | Self::NoMarker
            | Self::SharedMarker
            | Self::NoEscape
            | Self::TitleAlone
            | Self::LastSynced
            | Self::WholeListOfLabels
            | Self::HiddenLast
            | Self::InternalIsForgotten
            | Self::TimeTwice
            | Self::LostWithTheDelivery
            | Self::CommentIsNotWritten => "plain",
        }
    }
}

/// A network that makes the engine's mistake for it.
#[derive(Clone)]
pub(super) struct Lie {
    mistake: Mistake,
    /// What was seen before, by what it is.
    seen: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Lie {
    pub(super) fn new(mistake: Mistake) -> Self {
        Self {
            mistake,
            seen: Arc::default(),
        }
    }

    /// How often a request is carried.
    pub(super) fn times(&self, to: Side, request: &Request<Bytes>, spoiled: bool) -> usize {
        let path = request.uri().path();
        let posts = to == Side::Target && request.method() == Method::POST;
        let creates =
            path.ends_with("/issues") || path.ends_with("/notes") || path.ends_with("/discussions");
        let twice = match self.mistake {
            Mistake::SentAgainBlindly => posts && creates && spoiled,
            Mistake::TimeTwice => posts && path.ends_with("/add_spent_time"),
            Mistake::CommentIsNotWritten
            | Mistake::GoneAtFirstSight
            | Mistake::FilterIsForgotten
            | Mistake::EditsAreOverwritten
            | Mistake::PairIsForgotten
            | Mistake::NothingIsLookedFor
            | Mistake::EmptyListIsBelieved
            | Mistake::LateLandingIsNotWaitedFor
            | Mistake::LeaseIsIgnored
            | Mistake::NoMarker
            | Mistake::SharedMarker
            | Mistake::NoEscape
            | Mistake::TitleAlone
            | Mistake::LastSynced
            | Mistake::WholeListOfLabels
            | Mistake::HiddenLast
            | Mistake::InternalIsForgotten
            | Mistake::LostWithTheDelivery => false,
        };
        if twice { 2 } else { 1 }
    }

    /// What the request says in place of what it said.
    pub(super) fn alter_request(&self, to: Side, request: &mut Request<Bytes>) {
        if to == Side::Source || request.method() == Method::GET {
            return;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(request.body()) else {
            return;
        };
        let path = request.uri().path().to_owned();
        match self.mistake {
            Mistake::NoMarker => each_text(&mut body, |text| {
                let rest = text.split_once("\n\n").filter(|(line, _)| is_marker(line));
                rest.map_or_else(|| text.to_owned(), |(_, rest)| rest.to_owned())
            }),
            Mistake::SharedMarker if path.ends_with("/issues") => {
                each_text(&mut body, |text| self.with_the_first_marker(text));
            }
            Mistake::NoEscape => each_text(&mut body, |text| {
                let bare = text.replace('\u{2060}', "");
                ["/", "@", "#", "~", "!"]
                    .iter()
                    .fold(bare, |text, sign| text.replace(&format!("\\{sign}"), sign))
            }),
            Mistake::LastSynced => {
                let mut seen = self.seen.lock().unwrap();
                let count = seen
                    .get("count")
                    .and_then(Value::as_u64)
                    .unwrap_or_default()
                    + 1;
                seen.insert("count".to_owned(), json!(count));
                each_text(&mut body, |text| {
                    format!("{text}\n\nLast synced by request {count}.")
                });
            }
            Mistake::WholeListOfLabels => {
                if let Some(add) = body
                    .as_object_mut()
                    .and_then(|body| body.remove("add_labels"))
                {
                    body["labels"] = add;
                }
            }
            Mistake::HiddenLast => {
                if let Some(fields) = body.as_object_mut() {
                    fields.remove("confidential");
                }
            }
            Mistake::InternalIsForgotten => {
                if let Some(fields) = body.as_object_mut().filter(|_| path.contains("/issues/")) {
                    fields.remove("internal");
                    fields.remove("confidential");
                }
            }
            Mistake::CommentIsNotWritten if path.contains("/notes/") => {
                // Nothing is changed.
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("body".to_owned(), json!("…"));
                }
            }
            Mistake::SharedMarker
            | Mistake::CommentIsNotWritten
            | Mistake::GoneAtFirstSight
            | Mistake::FilterIsForgotten
            | Mistake::EditsAreOverwritten
            | Mistake::PairIsForgotten
            | Mistake::NothingIsLookedFor
            | Mistake::EmptyListIsBelieved
            | Mistake::SentAgainBlindly
            | Mistake::LateLandingIsNotWaitedFor
            | Mistake::LeaseIsIgnored
            | Mistake::TitleAlone
            | Mistake::TimeTwice
            | Mistake::LostWithTheDelivery => return,
        }
        let text = Bytes::from(body.to_string());
        let length = HeaderValue::from(text.len());
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
        *request.body_mut() = text;
    }

    fn with_the_first_marker(&self, text: &str) -> String {
        let Some((line, rest)) = text.split_once("\n\n").filter(|(line, _)| is_marker(line)) else {
            return text.to_owned();
        };
        let mut seen = self.seen.lock().unwrap();
        let first = seen
            .entry("marker".to_owned())
            .or_insert_with(|| json!(line));
        format!("{}\n\n{rest}", first.as_str().unwrap())
    }

    /// What the answer says in place of what it said.
    pub(super) fn alter_answer(
        &self,
        to: Side,
        method: &Method,
        path: &str,
        answer: Response<Body>,
    ) -> Response<Body> {
        let list_of_issues = *method == Method::GET && path.ends_with("/issues");
        let list_of_comments = *method == Method::GET && path.ends_with("/discussions");
        let concerned = match self.mistake {
            Mistake::NothingIsLookedFor => {
                to == Side::Target && (list_of_issues || list_of_comments)
            }
            Mistake::EmptyListIsBelieved => to == Side::Target && list_of_issues,
            Mistake::TitleAlone => to == Side::Source && list_of_issues,
            Mistake::HiddenLast => to == Side::Target && path.contains("/issues"),
            Mistake::InternalIsForgotten => to == Side::Target && *method == Method::POST,
            Mistake::SentAgainBlindly
            | Mistake::LateLandingIsNotWaitedFor
            | Mistake::LeaseIsIgnored
            | Mistake::NoMarker
            | Mistake::SharedMarker
            | Mistake::NoEscape
            | Mistake::LastSynced
            | Mistake::WholeListOfLabels
            | Mistake::TimeTwice
            | Mistake::LostWithTheDelivery
            | Mistake::CommentIsNotWritten
            | Mistake::GoneAtFirstSight
            | Mistake::FilterIsForgotten
            | Mistake::EditsAreOverwritten
            | Mistake::PairIsForgotten => false,
        };
        if !concerned || !answer.status().is_success() {
            return answer;
        }
        let (mut parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).now_or_never();
        let Some(Ok(bytes)) = bytes else {
            return Response::from_parts(parts, Body::empty());
        };
        let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
            return Response::from_parts(parts, Body::from(bytes));
        };
        self.alter_value(&mut value);
        if value.as_array().is_some_and(Vec::is_empty) {
            for (name, number) in [
                ("x-total", "0"),
                ("x-total-pages", "1"),
                ("x-next-page", ""),
            ] {
                parts.headers.insert(name, HeaderValue::from_static(number));
            }
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(value.to_string()))
    }

    fn alter_value(&self, value: &mut Value) {
        match self.mistake {
            Mistake::NothingIsLookedFor | Mistake::EmptyListIsBelieved => *value = json!([]),
            Mistake::TitleAlone => {
                for row in value.as_array_mut().into_iter().flatten() {
                    let title = row["title"].as_str().unwrap_or_default();
                    let key = format!("{}/{title}", row["iid"]);
                    let mut seen = self.seen.lock().unwrap();
                    *row = seen.entry(key).or_insert_with(|| row.clone()).clone();
                }
            }
            Mistake::HiddenLast => {
                if value.get("confidential").is_some() {
                    value["confidential"] = json!(true);
                }
            }
            Mistake::InternalIsForgotten => pretend_internal(value),
            Mistake::SentAgainBlindly
            | Mistake::LateLandingIsNotWaitedFor
            | Mistake::LeaseIsIgnored
            | Mistake::NoMarker
            | Mistake::SharedMarker
            | Mistake::NoEscape
            | Mistake::LastSynced
            | Mistake::WholeListOfLabels
            | Mistake::TimeTwice
            | Mistake::LostWithTheDelivery
            | Mistake::CommentIsNotWritten
            | Mistake::GoneAtFirstSight
            | Mistake::FilterIsForgotten
            | Mistake::EditsAreOverwritten
            | Mistake::PairIsForgotten => {}
        }
    }

    /// Whether the machine's clock leaps ahead, so that a second look at what was missed seems due.
    pub(super) fn leaps(&self, missed: bool, writes: bool) -> bool {
        if self.mistake != Mistake::GoneAtFirstSight {
            return false;
        }
        let mut seen = self.seen.lock().unwrap();
        if missed {
            seen.insert("missed".to_owned(), json!(true));
        }
        writes && seen.remove("missed").is_some()
    }
}

fn pretend_internal(value: &mut Value) {
    if value.get("internal").is_some() {
        value["internal"] = json!(true);
        value["confidential"] = json!(true);
    }
    if let Some(notes) = value.get_mut("notes").and_then(Value::as_array_mut) {
        for note in notes {
            pretend_internal(note);
        }
    }
}

fn is_marker(line: &str) -> bool {
    line.starts_with("<!-- issue-mirror:")
}

/// Of a title, a description, a comment.
fn each_text(body: &mut Value, change: impl Fn(&str) -> String) {
    for field in ["title", "description", "body"] {
        if let Some(text) = body.get(field).and_then(Value::as_str) {
            body[field] = json!(change(text));
        }
    }
}
