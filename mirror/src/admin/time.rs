//! Times and spans of time as people type them.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A span: `90d`, `12h`, `30m`, `2w`.
pub(super) fn span(text: &str) -> Result<TimeDelta, String> {
    const WRITE: &str = "write a span like 90d, 12h, 30m or 2w";
    let split = text.len().saturating_sub(1);
    let (Some(number), Some(unit)) = (text.get(..split), text.get(split..)) else {
        return Err(WRITE.to_owned());
    };
    let number: i64 = number.parse().map_err(|_| WRITE.to_owned())?;
    let span = match unit {
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => return Err(WRITE.to_owned()),
    };
    let hundred_years = TimeDelta::days(36_525);
    span.filter(|span| (TimeDelta::minutes(1)..=hundred_years).contains(span))
        .ok_or_else(|| "write a span between a minute and a hundred years".to_owned())
}

/// A point in time: so long ago, or a day, or to the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Since {
    /// So long ago.
    Ago(TimeDelta),
    /// Then.
    At(DateTime<Utc>),
}

impl Since {
    /// `7d`, `2026-11-01`, `2026-11-01T08:00:00Z`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse::<DateTime<Utc>>() {
            return Ok(Self::At(time));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self::At(day.and_time(NaiveTime::MIN).and_utc()));
        }
        let ago = span(text).map(Self::Ago);
        ago.map_err(|_| {
            "write how long ago (7d, 12h), a day (2026-11-01) or a time (2026-11-01T08:00:00Z)"
                .to_owned()
        })
    }

    /// As a time, where it is now that late.
    pub(super) fn before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(span) => now - span,
            Self::At(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        assert_eq!(span("90d"), Ok(TimeDelta::days(90)));
        assert_eq!(span("12h"), Ok(TimeDelta::hours(12)));
        assert_eq!(span("2w"), Ok(TimeDelta::days(14)));
        for bad in ["", "d", "90", "-1d", "0m", "1y", "5ä", "99999999999999d"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_may_be_told_in_three_ways() {
        let now: DateTime<Utc> = "2026-11-08T12:00:00Z".parse().unwrap();
        let read = |text| Since::parse(text).unwrap().before(now).to_rfc3339();
        assert_eq!(read("7d"), "2026-11-01T12:00:00+00:00");
        assert_eq!(read("2026-11-02"), "2026-11-02T00:00:00+00:00");
        assert_eq!(
            read("2026-11-02T08:00:00+02:00"),
            "2026-11-02T06:00:00+00:00"
        );
        assert!(Since::parse("lately").is_err());
    }
}
