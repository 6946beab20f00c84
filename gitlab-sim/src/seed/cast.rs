//! The people, labels and plans of the demo's shop.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    AccessLevel, EditError, Home, LabelSpec, MilestoneSpec, ProjectId, UserId, UserSpec, World,
};

/// Username, name, role.
const PEOPLE: &[(&str, &str, AccessLevel)] = &[
    ("mara", "Mara Lindqvist", AccessLevel::Owner),
    ("jonas", "Jonas Weber", AccessLevel::Maintainer),
    ("aiko", "Aiko Tanaka", AccessLevel::Developer),
    ("samir", "Samir Haddad", AccessLevel::Developer),
    ("priya", "Priya Raman", AccessLevel::Developer),
    ("kofi", "Kofi Mensah", AccessLevel::Maintainer),
    ("elena", "Elena Petrova", AccessLevel::Reporter),
    ("tom", "Tom O'Brien", AccessLevel::Planner),
    ("lucia", "Lucía Fernández", AccessLevel::Guest),
];

/// Title, colour, meaning.
const LABELS: &[(&str, &str, &str)] = &[
    ("bug", "#d9534f", "Something does not work as it should"),
    ("feature", "#428bca", "Something new for customers"),
    ("docs", "#8e7cc3", "Words for people"),
    ("ux", "#e67fb1", "How it looks and feels"),
    ("tech debt", "#7f8c8d", "We will be glad when this is done"),
    ("security", "#a8201a", "Handle with care"),
    ("performance", "#f0ad4e", "Too slow, or about to be"),
    ("accessibility", "#2a9d8f", "Everybody can buy"),
    ("good first issue", "#69d100", "A small piece to start with"),
    ("Q&A?", "#aed6f1", "Asked and answered"),
    ("priority::high", "#cc0033", "Next thing to do"),
    ("priority::medium", "#ff9f43", "This quarter"),
    ("priority::low", "#ffe066", "When there is time"),
    ("workflow::ready", "#d1e7dd", "Can be started"),
    ("workflow::in progress", "#5bc0de", "Somebody works on it"),
    (
        "workflow::review",
        "#9b59b6",
        "Waiting for a second pair of eyes",
    ),
    ("team::payments", "#1f618d", ""),
    ("team::web", "#117864", ""),
];

/// Labels of the group, usable in all its projects.
const GROUP_LABELS: &[(&str, &str, &str)] = &[
    ("customer", "#f7dc6f", "Reported by a customer"),
    (
        "launch::blocker",
        "#641e16",
        "Must be done before the launch",
    ),
];

/// Title, meaning, first and last day counted from now; the second list lives in the group.
const MILESTONES: &[(&str, &str, i64, i64)] = &[
    ("v2.4", "Wallets and the new address form", -120, -45),
    (
        "v2.5 \"Alpine\"",
        "One-page checkout behind a switch",
        -44,
        18,
    ),
    ("v3.0", "One-page checkout for everybody", 19, 80),
];
const GROUP_MILESTONES: &[(&str, &str, i64, i64)] = &[(
    "Peak season, phase 1",
    "No surprises in the busiest weeks",
    -20,
    40,
)];

/// What the stories call by name.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) project: ProjectId,
    pub(super) people: HashMap<&'static str, UserId>,
    pub(super) milestones: HashMap<&'static str, u64>,
    pub(super) iterations: Vec<u64>,
    pub(super) epics: HashMap<&'static str, u64>,
    pub(super) now: DateTime<Utc>,
}

impl Cast {
    pub(super) fn person(&self, name: &str) -> UserId {
        self.people.get(name).copied().unwrap_or_default()
    }
}

/// Adds the people.
pub(super) fn people(world: &mut World) -> Vec<(&'static str, UserId, AccessLevel)> {
    PEOPLE
        .iter()
        .map(|(username, name, role)| {
            (
                *username,
                world.add_user(UserSpec::new(username, name)),
                *role,
            )
        })
        .collect()
}

/// Adds the labels and plans of a project whose people are there.
pub(super) fn plans(
    world: &mut World,
    project: ProjectId,
    group: &str,
    people: HashMap<&'static str, UserId>,
) -> Result<Cast, EditError> {
    let now = world.now();
    let owner = people.get("mara").copied().unwrap_or_default();
    let homes = [
        (Home::Project(project), LABELS),
        (Home::Group(group.to_owned()), GROUP_LABELS),
    ];
    for (home, labels) in homes {
        for (title, color, meaning) in labels {
            let mut spec = LabelSpec::new(title, color);
            spec.description = (!meaning.is_empty()).then(|| (*meaning).to_owned());
            world.add_label(home.clone(), owner, spec)?;
        }
    }
    let day = |days: i64| (now + TimeDelta::days(days)).date_naive();
    let mut milestones = HashMap::new();
    let homes = [
        (Home::Project(project), MILESTONES),
        (Home::Group(group.to_owned()), GROUP_MILESTONES),
    ];
    for (home, list) in homes {
        for (title, meaning, first, last) in list {
            let spec = MilestoneSpec {
                title: (*title).to_owned(),
                description: Some((*meaning).to_owned()),
                start_date: Some(day(*first)),
                due_date: Some(day(*last)),
            };
            milestones.insert(*title, world.add_milestone(home.clone(), spec));
        }
    }
    let iterations = [
        (Some("Sprint 41: wallets"), -28),
        (Some("Sprint 42"), -14),
        (None, 0),
    ]
    .into_iter()
    .map(|(title, first)| world.add_iteration(group, title, day(first), day(first + 13)))
    .collect();
    let epics = [
        "One-page checkout",
        "Wallet payments: Apple & Google",
        "Fit for peak season",
    ]
    .into_iter()
    .map(|title| (title, world.add_epic(group, title)))
    .collect();
    Ok(Cast {
        project,
        people,
        milestones,
        iterations,
        epics,
        now,
    })
}
