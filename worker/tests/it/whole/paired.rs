//! Two mirrors in opposite directions that are a pair: both sides are equal in the end, and no second
//! is lost or counted twice (rules 19 and 20).

use super::{
    dice::Dice,
    manner::Manner,
    people::{People, any_field, small},
};
use crate::support::{Copy, Stage, copies, note};
use gitlab_sim::{AccessLevel, Issue, TokenSpec, UserId, UserSpec};
use std::collections::BTreeSet;

/// On the source, too, somebody writes for the mirrors.
pub(super) fn let_write(stage: &mut Stage) {
    let project = stage.from.project;
    let (token, user) = stage.source.edit(|world| {
        let bot = world.add_user(UserSpec {
            bot: true,
            ..UserSpec::new("back-writer", "Back Writer")
        });
        let home = world.project_mut(project).unwrap();
        home.members.insert(bot, AccessLevel::Owner);
        (world.add_token(bot, TokenSpec::api("")), bot)
    });
    stage.from.token = token;
    stage.from.token_user = user;
}

/// Whether an issue was written by people.
pub(super) fn is_original(issue: &Issue) -> bool {
    let text = issue.description.as_deref().unwrap_or_default();
    !text.starts_with("<!-- issue-mirror:")
}

impl People {
    pub(super) fn are_a_pair(&self) -> bool {
        self.manner == Manner::Paired
    }

    /// Alice does to a copy of the source what flows back. `false`: she does not.
    pub(super) fn touch_here(&self, number: u64) -> bool {
        let mut dice = Dice::new(number, 9);
        if !self.are_a_pair() || !dice.chance(30) {
            return false;
        }
        let (project, alice) = (self.from.project, self.alice);
        let copies = copies(&self.source, project);
        let Some(copy) = dice.pick(&copies) else {
            return false;
        };
        let iid = copy.issue.iid;
        self.source
            .edit(|world| match dice.below(4) {
                0 => world
                    .add_note(project, iid, note(alice, "Said at the source."))
                    .map(|_| ()),
                1 => world.log_time(project, iid, alice, 60 * (1 + small(&mut dice)), None),
                _ => {
                    let edit = any_field(world, project, iid, &mut dice);
                    world.edit_issue(project, iid, alice, edit)
                }
            })
            .unwrap();
        true
    }
}

/// Issues of the target's people that have a copy on the source: what refers to that copy there leads
/// to them.
pub(super) fn with_copies(people: &People) -> BTreeSet<u64> {
    if !people.are_a_pair() {
        return BTreeSet::new();
    }
    let copies = copies(&people.source, people.from.project);
    copies.into_iter().map(|copy| copy.of).collect()
}

/// What must be of both sides in the end, beside what is asked of copies anyway.
pub(super) fn unequal(people: &People) -> Vec<String> {
    if !people.are_a_pair() {
        return Vec::new();
    }
    let sides = [
        (&people.source, people.from.project),
        (&people.target, people.to.project),
    ];
    let mut broken = Vec::new();
    for [(sim, project), (other, at)] in [[sides[0], sides[1]], [sides[1], sides[0]]] {
        let there = copies(other, at);
        let numbers: BTreeSet<u64> = there.iter().map(|copy| copy.of).collect();
        if numbers.len() != there.len() {
            broken.push("an issue has two copies".to_owned());
        }
        let issues: Vec<Issue> = sim.world(|world| world.issues(project).cloned().collect());
        for issue in issues.iter().filter(|issue| is_original(issue)) {
            match there.iter().find(|copy| copy.of == issue.iid) {
                Some(copy) => broken.extend(differences(
                    &[people.alice, people.bob, people.tom],
                    issue,
                    copy,
                )),
                None => broken.push(format!("#{} of {project} has no copy", issue.iid)),
            }
        }
    }
    broken
}

fn differences(people: &[UserId], issue: &Issue, copy: &Copy) -> Vec<String> {
    let flowing = |issue: &Issue| {
        [
            ("state", issue.state.word().to_owned()),
            ("weight", format!("{:?}", issue.weight)),
            ("estimate", issue.time_estimate.to_string()),
            ("time", issue.time_spent().to_string()),
        ]
    };
    let mut broken = Vec::new();
    for ((what, here), (_, there)) in flowing(issue).into_iter().zip(flowing(&copy.issue)) {
        if here != there {
            let iid = issue.iid;
            broken.push(format!(
                "{what} of #{iid} is {here}, and {there} on its copy"
            ));
        }
    }
    let is_copy = |body: &str| body.starts_with("<!-- issue-mirror:");
    let count = |issue: &Issue, copied: bool| {
        let notes = issue.notes.iter().filter(|note| !note.system);
        notes.filter(|note| is_copy(&note.body) == copied).count()
    };
    for (ours, theirs) in [(issue, &copy.issue), (&copy.issue, issue)] {
        let (said, brought) = (count(ours, false), count(theirs, true));
        if said != brought {
            broken.push(format!(
                "of {said} comments on #{} there are {brought} copies",
                ours.iid
            ));
        }
    }
    let logs = issue.timelogs.iter().chain(&copy.issue.timelogs);
    let logged = logs.filter(|log| people.contains(&log.user));
    let logged: i64 = logged.map(|log| log.seconds).sum();
    if logged != issue.time_spent() {
        let (iid, shown) = (issue.iid, issue.time_spent());
        broken.push(format!(
            "#{iid} shows {shown} seconds, and people logged {logged}"
        ));
    }
    broken
}
