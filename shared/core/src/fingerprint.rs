//! Digests that tell whether anything rendered has changed.

use sha2::{Digest, Sha256};

/// A digest under construction. Every field is written with its length, so that no two different
/// sequences of fields share a digest, and the first is a version: a change in what is rendered
/// changes the version, and with it every digest.
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins one; `version` names what is digested and its generation.
    pub fn new(version: &str) -> Self {
        let mut print = Self(Sha256::new());
        print.text(version);
        print
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.update(text.len().to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a flag.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.0.update([u8::from(flag)]);
        self
    }

    /// Adds a number that may be missing; missing and 0 differ.
    pub fn number(&mut self, number: Option<i64>) -> &mut Self {
        self.flag(number.is_some());
        self.0.update(number.unwrap_or_default().to_le_bytes());
        self
    }

    /// 64 hex digits.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let of = |parts: &[&str]| {
            let mut print = Fingerprint::new("t/1");
            for part in parts {
                print.text(part);
            }
            print.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }

    #[test]
    fn no_weight_is_not_weight_zero() {
        let of = |weight| {
            let mut print = Fingerprint::new("t/1");
            print.number(weight);
            print.finish()
        };
        assert_ne!(of(None), of(Some(0)));
    }
}
