//! Titles: no Markdown, no escapes, and yet searched for references.

use super::defuse::Inert;
use super::hazards::{Hazard, hazards, occurrences};

/// What GitLab allows, in characters.
const LONGEST: usize = 255;

/// Invisible, no letter, no space, and no place to break a line at.
const JOINER: char = '\u{2060}';

/// A title in which GitLab finds no mention and no reference. An invisible character parts each
/// sign from its name; a title that then exceeds GitLab's 255 characters is cut at the end.
pub fn defuse_title(title: &str) -> String {
    defuse_title_with(title, &Inert::default())
}

/// As [`defuse_title`], for a target of which more is known.
pub fn defuse_title_with(title: &str, inert: &Inert<'_>) -> String {
    let title = title.replace(['\r', '\0'], "");
    let base = inert.target.map(|base| base.trim_end_matches('/'));
    let mut joints: Vec<usize> = hazards(&title)
        .into_iter()
        .map(|hazard| match hazard {
            Hazard::Sign(at) => at + 1,
            Hazard::Cut(at) => at,
        })
        .collect();
    joints.extend(
        base.map(|base| occurrences(&title, base))
            .unwrap_or_default()
            .iter()
            .map(|url| url.start + 1),
    );
    let mut inert = String::with_capacity(title.len() + 3 * joints.len());
    for (at, character) in title.char_indices() {
        if joints.contains(&at) {
            inert.push(JOINER);
        }
        inert.push(character);
    }
    shortened(inert)
}

fn shortened(title: String) -> String {
    let title = title.trim().to_owned();
    if title.chars().count() <= LONGEST {
        return title;
    }
    let kept: String = title.chars().take(LONGEST - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::defuse_title;

    #[test]
    fn signs_lose_their_names_and_titles_their_excess() {
        assert_eq!(
            defuse_title("ask @alice about #12"),
            "ask @\u{2060}alice about #\u{2060}12"
        );
        assert_eq!(defuse_title("revert 0a1b2c3d"), "revert 0a1b2c\u{2060}3d");
        assert_eq!(defuse_title("100 % of C# & more"), "100 % of C# & more");
        assert_eq!(defuse_title("/close"), "/close");
        let long = format!("@alice {}", "x".repeat(248));
        assert_eq!(long.chars().count(), 255);
        let cut = defuse_title(&long);
        assert_eq!(cut.chars().count(), 255);
        assert!(cut.ends_with("x…"));
    }
}
