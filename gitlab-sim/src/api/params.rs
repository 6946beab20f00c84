//! Parameters of a request, from query, JSON, form or multipart, as Grape reads them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Map, Value};

use super::answer::ApiError;

/// Named parameters; `name[]` is a list, `name[key]` an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Map<String, Value>);

/// What a request says about an optional field: nothing, `null` or blank, or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given<T> {
    Absent,
    Cleared,
    Value(T),
}

impl<T> Given<T> {
    /// As an edit: `Some(None)` clears.
    pub(crate) fn into_edit(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Cleared => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl Params {
    /// Reads `a=1&b[]=2&not[c]=3`.
    pub(crate) fn from_encoded(text: &str) -> Self {
        let mut params = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.put(&decode(name), Value::String(decode(value)));
        }
        params
    }

    /// Reads a JSON object; anything else is an error in Grape's words.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, ApiError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) | Err(_) => Err(ApiError::error(400, "body is invalid")),
        }
    }

    /// Adds a parameter as its bracketed name says.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        let Some((base, rest)) = name.split_once('[') else {
            self.0.insert(name.to_owned(), value);
            return;
        };
        if rest.starts_with(']') {
            let list = self
                .0
                .entry(base)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value);
            }
            return;
        }
        let (key, tail) = rest.split_once(']').unwrap_or((rest, ""));
        let inner = self
            .0
            .entry(base)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(map) = inner {
            let mut nested = Self(std::mem::take(map));
            nested.put(&format!("{key}{tail}"), value);
            *map = nested.0;
        }
    }

    /// Lays `other` over these.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Nested parameters such as those of `not[…]`.
    pub(crate) fn nested(&self, name: &str) -> Self {
        match self.0.get(name) {
            Some(Value::Object(map)) => Self(map.clone()),
            _ => Self::default(),
        }
    }

    /// Text; numbers and booleans are read as the text they are written with.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(as_text)
    }

    /// Text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name)
            .ok_or_else(|| ApiError::error(400, &format!("{name} is missing")))
    }

    /// Text where blank and `null` mean to clear.
    pub(crate) fn clearable(&self, name: &str) -> Given<String> {
        match self.0.get(name) {
            None => Given::Absent,
            Some(value) => match as_text(value).filter(|text| !text.is_empty()) {
                Some(text) => Given::Value(text),
                None => Given::Cleared,
            },
        }
    }

    fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Given<T>, ApiError> {
        match self.clearable(name) {
            Given::Absent => Ok(Given::Absent),
            Given::Cleared => Ok(Given::Cleared),
            Given::Value(text) => parse(&text)
                .map(Given::Value)
                .ok_or_else(|| ApiError::error(400, &format!("{name} is invalid"))),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Given<i64>, ApiError> {
        self.parsed(name, |text| text.trim().parse().ok())
    }

    pub(crate) fn id(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.parsed(name, |text| text.trim().parse().ok())? {
            Given::Value(id) => Ok(Some(id)),
            Given::Absent | Given::Cleared => Ok(None),
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "on" | "yes" => Some(true),
            "false" | "f" | "0" | "off" | "no" => Some(false),
            _ => None,
        };
        match self.parsed(name, read)? {
            Given::Value(flag) => Ok(Some(flag)),
            Given::Absent | Given::Cleared => Ok(None),
        }
    }

    pub(crate) fn day(&self, name: &str) -> Result<Given<NaiveDate>, ApiError> {
        self.parsed(name, |text| text.get(..10).unwrap_or(text).parse().ok())
    }

    pub(crate) fn moment(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        match self.parsed(name, read_moment)? {
            Given::Value(moment) => Ok(Some(moment)),
            Given::Absent | Given::Cleared => Ok(None),
        }
    }

    /// A list, or text with commas; absent is `None`, blank an empty list.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let items: Vec<String> = match self.0.get(name)? {
            Value::Array(items) => items.iter().filter_map(as_text).collect(),
            value @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => vec![as_text(value).unwrap_or_default()],
        };
        let parts = items.iter().flat_map(|item| item.split(','));
        Some(
            parts
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect(),
        )
    }

    /// A list of numbers; what is no number is left out.
    pub(crate) fn ids(&self, name: &str) -> Option<Vec<u64>> {
        Some(
            self.list(name)?
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
        )
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

pub(crate) fn read_moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    let day: NaiveDate = text.parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// Undoes percent and plus encoding.
pub(crate) fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}
