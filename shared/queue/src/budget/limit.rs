//! What is known of an instance's limits.

use mirror_core::ports::Class;
use std::{fmt, str::FromStr, time::Duration};

/// The longest period that is believed: GitLab counts in hours at most.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// So many requests of a class in a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What is counted.
    pub class: Class,
    /// How many; at least one.
    pub requests: u64,
    /// In what time; never zero.
    pub period: Duration,
}

/// Which of a mirror's two instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The one that is read.
    Source,
    /// The one that is written.
    Target,
}

/// `[source:|target:]CLASS=N/SECONDS`, as given to `--limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitArgument {
    /// For one side only; `None` for both.
    pub side: Option<Side>,
    /// The limit.
    pub limit: Limit,
}

/// A limit that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LimitError {
    /// Not of the form `CLASS=N/SECONDS`.
    #[error("`{0}` is not a limit: write CLASS=N/SECONDS, for example `api=600/60`")]
    Form(String),
    /// No such side.
    #[error("`{0}` is not a side: write `source:` or `target:`, or neither for both")]
    Side(String),
    /// No such class.
    #[error("`{0}` is not a class of requests: write one of {classes}", classes = classes())]
    Class(String),
    /// Not a number of requests.
    #[error("`{0}` is not a number of requests: write a whole number from 1 on")]
    Requests(String),
    /// Not a period.
    #[error("`{0}` is not a period: write whole seconds, from 1 to {longest}", longest = LONGEST.as_secs())]
    Period(String),
}

fn classes() -> String {
    Class::ALL.map(Class::name).join(", ")
}

impl Limit {
    /// Reads `CLASS=N/SECONDS`.
    ///
    /// # Errors
    /// Says which part is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, LimitError> {
        let form = || LimitError::Form(text.to_owned());
        let (class, rate) = text.split_once('=').ok_or_else(form)?;
        let (requests, period) = rate.split_once('/').ok_or_else(form)?;
        let class = Class::ALL
            .into_iter()
            .find(|known| known.name() == class.trim())
            .ok_or_else(|| LimitError::Class(class.to_owned()))?;
        let requests = match requests.trim().parse() {
            Ok(0) | Err(_) => return Err(LimitError::Requests(requests.to_owned())),
            Ok(requests) => requests,
        };
        let seconds = period.trim().parse().ok().map(Duration::from_secs);
        let period = seconds
            .filter(|seconds| !seconds.is_zero() && *seconds <= LONGEST)
            .ok_or_else(|| LimitError::Period(period.to_owned()))?;
        Ok(Self {
            class,
            requests,
            period,
        })
    }
}

impl FromStr for LimitArgument {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (side, limit) = match text.split_once(':') {
            None => (None, text),
            Some(("source", limit)) => (Some(Side::Source), limit),
            Some(("target", limit)) => (Some(Side::Target), limit),
            Some((other, _)) => return Err(LimitError::Side(other.to_owned())),
        };
        Ok(Self {
            side,
            limit: Limit::parse(limit)?,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            class,
            requests,
            period,
        } = self;
        write!(f, "{}={requests}/{}", class.name(), period.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_is_read_for_both_sides_or_one() {
        let limit = Limit {
            class: Class::Notes,
            requests: 300,
            period: Duration::from_secs(60),
        };
        for (text, side) in [
            ("notes=300/60", None),
            ("source:notes=300/60", Some(Side::Source)),
            ("target:notes=300/60", Some(Side::Target)),
        ] {
            assert_eq!(text.parse(), Ok(LimitArgument { side, limit }), "{text}");
        }
    }

    #[test]
    fn each_mistake_is_told_with_its_mend() {
        for (text, said) in [
            ("", "CLASS=N/SECONDS"),
            ("api", "CLASS=N/SECONDS"),
            ("api=600", "CLASS=N/SECONDS"),
            ("left:api=600/60", "`left` is not a side"),
            ("apo=600/60", "api, notes, issues, search, uploads"),
            ("api=0/60", "`0` is not a number of requests"),
            ("api=-1/60", "`-1` is not a number of requests"),
            ("api=600/0", "`0` is not a period"),
            ("api=600/1m", "`1m` is not a period"),
            ("api=600/86401", "from 1 to 86400"),
        ] {
            let error = text.parse::<LimitArgument>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(class in 0..Class::ALL.len(), requests in 1_u64.., seconds in 1_u64..=86_400) {
            let limit = Limit { class: Class::ALL[class], requests, period: Duration::from_secs(seconds) };
            prop_assert_eq!(Limit::parse(&limit.to_string()), Ok(limit));
        }

        #[test]
        fn no_text_upsets_the_reader(text in ".{0,40}") {
            drop(text.parse::<LimitArgument>());
        }
    }
}
