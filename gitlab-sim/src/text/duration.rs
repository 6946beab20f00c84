//! Durations as GitLab's time tracking reads and writes them (facts section 7).

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 8 * HOUR;
const WEEK: i64 = 5 * DAY;
const MONTH: i64 = 20 * DAY;
/// The only unit GitLab leaves at calendar length.
const YEAR: i64 = 31_557_600;

/// Seconds of a written duration: units mo (20 days), w (5 days), d (8 hours), h, m, s, their long
/// names, and combinations. **A bare number means hours.** A leading `-` negates the whole.
///
/// `None` if GitLab would refuse the text. `0` parses; older releases refuse it, which is the
/// caller's decision.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.as_str()),
    };
    let seconds = match text.contains(':') {
        true => from_clock(text)?,
        false => from_words(&words(text)?)?,
    };
    (seconds <= i64::MAX as f64).then_some(sign * (seconds as i64))
}

/// The form GitLab shows (`1w 2d 3h`), `None` for 0, where it answers null.
pub fn human(seconds: i64) -> Option<String> {
    if seconds == 0 {
        return None;
    }
    let mut left = seconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in [
        ("mo", MONTH),
        ("w", WEEK),
        ("d", DAY),
        ("h", HOUR),
        ("m", MINUTE),
        ("s", 1),
    ] {
        let length = length.unsigned_abs();
        if left >= length {
            parts.push(format!("{}{unit}", left / length));
            left %= length;
        }
    }
    let sign = if seconds < 0 { "-" } else { "" };
    Some(format!("{sign}{}", parts.join(" ")))
}

enum Word {
    Number(f64),
    Unit(i64),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let numeric = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest
            .find(|c: char| c.is_whitespace() || numeric(c) != numeric(first))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        let (token, after) = rest.split_at_checked(end)?;
        rest = after;
        match token.trim().trim_matches(',') {
            "" | "and" | "with" | "plus" => {}
            number if numeric(first) => words.push(Word::Number(number.parse().ok()?)),
            name => words.push(Word::Unit(unit(name)?)),
        }
    }
    Some(words)
}

fn from_words(words: &[Word]) -> Option<f64> {
    if !words.iter().any(|word| matches!(word, Word::Number(_))) {
        return None;
    }
    let mut total = 0.0;
    for (position, word) in words.iter().enumerate() {
        let Word::Number(number) = word else { continue };
        total += match words.get(position + 1) {
            Some(Word::Unit(length)) => number * *length as f64,
            // A number followed by a number has lost its unit; GitLab drops it.
            Some(Word::Number(_)) => 0.0,
            None => number * HOUR as f64,
        };
    }
    Some(total)
}

/// `4:30` is minutes and seconds, `1:30:00` hours, minutes and seconds, and so on.
fn from_clock(text: &str) -> Option<f64> {
    let lengths = [1, MINUTE, HOUR, DAY, MONTH, YEAR];
    let fields: Vec<&str> = text.trim().split(':').rev().collect();
    if fields.len() > lengths.len() {
        return None;
    }
    fields
        .iter()
        .zip(lengths)
        .try_fold(0.0, |total, (field, length)| {
            let plain = !field.is_empty() && field.chars().all(|c| c.is_ascii_digit() || c == '.');
            let number: f64 = plain.then(|| field.parse().ok())??;
            Some(total + number * length as f64)
        })
}

fn unit(name: &str) -> Option<i64> {
    match name {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(MINUTE),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(HOUR),
        "d" | "dy" | "day" | "days" => Some(DAY),
        "w" | "wk" | "wks" | "week" | "weeks" => Some(WEEK),
        "mo" | "mon" | "mos" | "month" | "months" => Some(MONTH),
        "y" | "yr" | "yrs" | "year" | "years" => Some(YEAR),
        _unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_gitlab_reads_them() {
        let cases = [
            ("3h", Some(10_800)),
            ("3600s", Some(3_600)),
            ("3600", Some(3_600 * 3_600)),
            ("1mo", Some(20 * 8 * 3_600)),
            ("1w", Some(5 * 8 * 3_600)),
            ("1d", Some(8 * 3_600)),
            (
                "1mo 2w 3d 4h 5m 6s",
                Some((20 + 10 + 3) * 28_800 + 4 * 3_600 + 306),
            ),
            ("1h30m", Some(5_400)),
            ("1.5h", Some(5_400)),
            ("1h 30", Some(3_600 + 30 * 3_600)),
            ("2 hours and 15 minutes", Some(8_100)),
            ("1h, 30m", Some(5_400)),
            ("-90s", Some(-90)),
            ("-1h 30m", Some(-5_400)),
            ("4:30", Some(270)),
            ("1:30:00", Some(5_400)),
            ("0", Some(0)),
            ("0h", Some(0)),
            ("", None),
            ("-", None),
            ("soon", None),
            ("h", None),
            ("1h -30m", None),
            ("1 parsec", None),
            ("1.2.3h", None),
            ("1::2", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), seconds, "{text:?}");
        }
    }

    #[test]
    fn durations_are_shown_in_working_time() {
        let cases = [
            (0, None),
            (59, Some("59s")),
            (5_400, Some("1h 30m")),
            (28_800, Some("1d")),
            (5 * 28_800 + 2 * 28_800 + 3 * 3_600, Some("1w 2d 3h")),
            (20 * 28_800 + 1, Some("1mo 1s")),
            (-5_400, Some("-1h 30m")),
        ];
        for (seconds, shown) in cases {
            assert_eq!(human(seconds).as_deref(), shown, "{seconds}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for seconds in (1..2_000_000).step_by(1_237) {
            assert_eq!(human(seconds).as_deref().and_then(parse), Some(seconds));
        }
    }
}
