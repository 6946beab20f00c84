//! Who people of the source are on the target.

use super::{RuleError, UserDocument};
use std::collections::BTreeMap;

/// Characters that a username may have.
const MAX_USERNAME: usize = 255;

/// Who people of the source are on the target. The default names nobody.
#[derive(Clone, Debug, Default)]
pub struct UserRules {
    /// By the source's name, in lower case: GitLab takes no two users whose names differ in case.
    map: BTreeMap<String, String>,
    mentions: bool,
}

impl UserRules {
    pub(super) fn new(document: &UserDocument) -> Result<Self, RuleError> {
        let UserDocument { mentions, map } = document;
        if *mentions && map.is_empty() {
            return Err(RuleError::new(
                "users.mentions",
                "lets people be mentioned whom users.map names, and it names nobody",
                "name them, or take it out",
            ));
        }
        let mut known = BTreeMap::new();
        for (from, to) in map {
            let rule = format!("users.map \"{from}\" = \"{to}\"");
            username(&rule, from)?;
            username(&rule, to)?;
            if known
                .insert(from.to_ascii_lowercase(), to.clone())
                .is_some()
            {
                return Err(RuleError::new(
                    rule,
                    "names somebody whom another entry names with other capital letters",
                    "take one of the two out",
                ));
            }
        }
        Ok(Self {
            map: known,
            mentions: *mentions,
        })
    }

    /// Nobody is named.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// What somebody of the source is called on the target; `None`: the rules do not say.
    pub fn target(&self, username: &str) -> Option<&str> {
        let known = self.map.get(&username.to_ascii_lowercase());
        known.map(String::as_str)
    }

    /// Whether a mention of somebody reaches their account on the target.
    pub fn mentions(&self) -> bool {
        self.mentions
    }
}

fn username(rule: &str, name: &str) -> Result<(), RuleError> {
    let wrong = if name.is_empty() {
        Some(("gives no name", "name a user, or take the entry out"))
    } else if name.starts_with('@') {
        Some(("names a user with a sign in front", "leave the @ out"))
    } else if name.contains('/') {
        Some((
            "names a group or a page, and not a user",
            "write the username alone",
        ))
    } else if name.eq_ignore_ascii_case("all") {
        Some(("names everybody", "name one user"))
    } else if !name.chars().all(is_part) || name.starts_with('-') || name.ends_with('.') {
        Some((
            "gives a name that no user of GitLab can have",
            "write the username that stands behind the @ on the user's page, not the full name",
        ))
    } else if name.chars().count() > MAX_USERNAME {
        Some((
            "gives a name that is longer than GitLab's 255 characters",
            "write the username that stands behind the @ on the user's page",
        ))
    } else {
        None
    };
    wrong.map_or(Ok(()), |(why, mend)| Err(RuleError::new(rule, why, mend)))
}

/// What a username is made of.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}
