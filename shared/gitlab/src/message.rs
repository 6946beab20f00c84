//! GitLab's own words in an answer that is not a success, in all the shapes it has for them
//! (facts section 1, "Errors").

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longer words are cut: an error's text goes to a table, a terminal and a log.
const LONGEST: usize = 600;

/// What an answer's body says.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Words {
    /// On one line, shortened.
    pub(crate) message: Option<String>,
    /// Field by field.
    pub(crate) fields: BTreeMap<String, Vec<String>>,
    /// The code in `error`: `invalid_token`, `insufficient_scope`.
    pub(crate) code: Option<String>,
    /// The scopes in `scope`.
    pub(crate) scopes: Vec<String>,
    /// A captcha would let it pass.
    pub(crate) captcha: bool,
    /// In GitLab's own form: an object with `message` or `error`.
    pub(crate) own: bool,
}

impl Words {
    pub(crate) fn read(body: &str, html: bool) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(Value::Object(object)) => Self::of_object(&object),
            Ok(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_),
            )
            | Err(_) => Self::of_text(body, html),
        }
    }

    fn of_object(object: &Map<String, Value>) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let mut words = Self {
            own: object.contains_key("message") || object.contains_key("error"),
            code: text("error").map(str::to_owned),
            captcha: object.get("needs_captcha_response") == Some(&Value::Bool(true)),
            ..Self::default()
        };
        if let Some(scope) = text("scope") {
            words.scopes = scope
                .split([' ', ','])
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect();
        }
        let mut said = Vec::new();
        if let Some(Value::Object(fields)) = object.get("message") {
            for (field, value) in fields {
                let texts = flatten(value);
                said.push(match field.as_str() {
                    "base" | "error" => texts.join(", "),
                    name => format!("{name} {}", texts.join(", ")),
                });
                words.fields.insert(field.clone(), texts);
            }
        } else if let Some(message) = object.get("message") {
            said.extend(flatten(message));
        }
        match (text("error_description"), object.get("error")) {
            (Some(description), _) => said.push(description.to_owned()),
            (None, Some(error)) => said.extend(flatten(error)),
            (None, None) => {}
        }
        words.message = one_line(&said.join("; "));
        words
    }

    fn of_text(text: &str, html: bool) -> Self {
        let message = if html {
            title(text).and_then(|title| one_line(&format!("a page titled \"{title}\"")))
        } else {
            one_line(text)
        };
        Self {
            message,
            ..Self::default()
        }
    }

    /// Whether the words say so, in any letter case.
    pub(crate) fn mention(&self, what: &str) -> bool {
        self.message
            .as_ref()
            .is_some_and(|message| message.to_ascii_lowercase().contains(what))
    }
}

fn flatten(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(flatten).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("{key} {}", flatten(value).join(", ")))
            .collect(),
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
    }
}

/// Line breaks and control characters would let an answer write lines of its own into a log.
fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.is_empty() {
        return None;
    }
    if line.chars().count() <= LONGEST {
        return Some(line);
    }
    let mut cut: String = line.chars().take(LONGEST).collect();
    cut.push('…');
    Some(cut)
}

fn title(html: &str) -> Option<&str> {
    let (_, rest) = html.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    Some(title.trim())
}

#[cfg(test)]
mod tests {
    use super::Words;

    fn message(body: &str) -> Option<String> {
        Words::read(body, false).message
    }

    #[test]
    fn every_shape_of_gitlabs_words_is_read() {
        for (body, expected) in [
            (
                r#"{"message":"404 Project Not Found"}"#,
                "404 Project Not Found",
            ),
            (
                r#"{"message":{"title":["can't be blank","is too short"]}}"#,
                "title can't be blank, is too short",
            ),
            (
                r#"{"message":{"base":["Time to subtract exceeds the total time spent"]}}"#,
                "Time to subtract exceeds the total time spent",
            ),
            (
                r#"{"message":{"error":"This endpoint has been requested too many times."}}"#,
                "This endpoint has been requested too many times.",
            ),
            (r#"{"error":"title is missing"}"#, "title is missing"),
            (
                r#"{"error":"invalid_token","error_description":"Token is expired."}"#,
                "Token is expired.",
            ),
            (
                r#"{"message":"400 Bad request - Note {:note=>[\"can't be blank\"]}"}"#,
                r#"400 Bad request - Note {:note=>["can't be blank"]}"#,
            ),
            ("Retry later\n", "Retry later"),
        ] {
            assert_eq!(message(body).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn a_proxys_page_is_told_by_its_title_and_is_not_gitlabs_own_form() {
        let page = "<html><head><title>502 Bad Gateway</title></head><body>…</body></html>";
        let words = Words::read(page, true);
        assert_eq!(
            words.message.as_deref(),
            Some("a page titled \"502 Bad Gateway\"")
        );
        assert!(!words.own);
    }

    #[test]
    fn words_are_short_and_on_one_line() {
        let long = format!(
            "{{\"message\":\"first\\nsecond\\u001b[31m {}\"}}",
            "x".repeat(5_000)
        );
        let message = message(&long).unwrap();
        assert!(message.starts_with("first second [31m xxx"), "{message}");
        assert!(message.chars().count() <= super::LONGEST + 1);
    }
}
