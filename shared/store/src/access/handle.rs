//! What people and tokens are called.

use std::{fmt, str::FromStr};

/// The longest name.
const LONGEST: usize = 64;

/// What a person or a token is called: small letters, digits and `. _ - @`, so that no two names
/// look alike, and each is the same in a path, a log and the audit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Handle(String);

/// A text that nobody can be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "not a name: write 1 to 64 small letters, digits, or . _ - @, beginning with a letter or digit"
)]
pub struct HandleError;

impl Handle {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Handle {
    type Err = HandleError;

    fn from_str(text: &str) -> Result<Self, HandleError> {
        let plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit();
        let begins = text.chars().next().is_some_and(plain);
        let goes_on = text
            .chars()
            .all(|sign| plain(sign) || "._-@".contains(sign));
        if begins && goes_on && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(HandleError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["a", "ci", "anna@example.org", "x-1_2.3", &"a".repeat(64)] {
            assert!(good.parse::<Handle>().is_ok(), "{good}");
        }
        for bad in ["", "Anna", "-x", "a b", "a/b", "ä", "a\0", &"a".repeat(65)] {
            assert_eq!(bad.parse::<Handle>(), Err(HandleError), "{bad}");
        }
    }
}
