//! The parts of a copy's description: the marker and the footer are ours, the text between them is
//! what the source says, or what the target's people made of it.

use super::MAX_DESCRIPTION;
use crate::{markdown, provenance::Found};

/// What a footer begins with, below a line of its own.
pub(super) const FOOTER: &str = "Mirrored from ";

/// A description in its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts<'a> {
    /// The hidden first line; empty if there is none.
    pub marker: &'a str,
    /// What stands below it, footer included.
    pub rest: &'a str,
    /// The same without the footer.
    pub text: &'a str,
    /// From the footer's rule to the end; empty if there is none.
    pub footer: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a description apart.
    pub fn of(description: &'a str) -> Self {
        let (marker, rest) = match description.split_once('\n') {
            Some((marker, rest)) if Found::in_body(description).is_some() => (marker, rest),
            Some(_) | None if Found::in_body(description).is_some() => (description, ""),
            Some(_) | None => ("", description),
        };
        let rest = rest.trim_start_matches('\n').trim_end();
        let rule = format!("---\n\n{FOOTER}");
        let below = rest
            .rfind(&format!("\n{rule}"))
            .map(|at| at + 1)
            .or_else(|| rest.starts_with(&rule).then_some(0));
        let (text, footer) = rest.split_at(below.unwrap_or(rest.len()));
        Self {
            marker,
            rest,
            text: text.trim_end(),
            footer,
        }
    }

    /// Another text, or another rest, between this marker and this footer. `None`: that is longer
    /// than GitLab takes.
    pub fn around(&self, text: &str, with_footer: bool) -> Option<String> {
        let mut whole = format!("{}\n\n{text}", self.marker);
        if with_footer && !self.footer.is_empty() {
            whole.push_str(&markdown::closing(text));
            if !text.is_empty() {
                whole.push_str("\n\n");
            }
            whole.push_str(self.footer);
        }
        let whole = whole.trim_end();
        (whole.len() <= MAX_DESCRIPTION).then(|| whole.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARKER: &str = "<!-- issue-mirror:1 mirror path=gitlab.a;1;2;3 to=gitlab.b;4 mac=x -->";

    #[test]
    fn marker_text_and_footer_are_told_apart() {
        let whole = format!("{MARKER}\n\nText.\n\n---\n\nMirrored from a#3.");
        let parts = Parts::of(&whole);
        assert_eq!(parts.marker, MARKER);
        assert_eq!(parts.text, "Text.");
        assert_eq!(parts.footer, "---\n\nMirrored from a#3.");
        let bare = format!("{MARKER}\n\n---\n\nMirrored from a#3.");
        assert_eq!(Parts::of(&bare).text, "");
        assert_eq!(Parts::of("Mine.").rest, "Mine.");
        assert_eq!(Parts::of("Mine.").marker, "");
        assert_eq!(Parts::of(MARKER).rest, "");
    }

    #[test]
    fn what_is_written_below_the_footer_stands_in_it() {
        let whole = format!("{MARKER}\n\nText.\n\n---\n\nMirrored from a#3.\n\nMine.");
        let parts = Parts::of(&whole);
        assert_eq!(parts.footer, "---\n\nMirrored from a#3.\n\nMine.");
        assert_eq!(parts.rest, "Text.\n\n---\n\nMirrored from a#3.\n\nMine.");
    }

    proptest! {
        #[test]
        fn put_together_again_it_is_the_same(text in "([a-z \n]{0,20}[a-z])?") {
            let text = text.trim_start_matches('\n');
            let gap = if text.is_empty() { "" } else { "\n\n" };
            let whole = format!("{MARKER}\n\n{text}{gap}---\n\nMirrored from a#3.");
            let parts = Parts::of(&whole);
            prop_assert_eq!(parts.around(parts.text, true), Some(whole.clone()));
            prop_assert_eq!(parts.around(parts.rest, false), Some(whole.clone()));
        }
    }
}
