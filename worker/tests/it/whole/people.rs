//! What people of the source do while the mirror works.
//!
//! Who may do what to an issue goes by its number, so that a judge can tell right from wrong by what
//! the GitLabs hold: those divisible by four are confidential from the beginning and hold a secret;
//! those with a remainder of two may become confidential for good, and hold one from then on; those
//! with a remainder of one come and go and hold none; the target's people write on copies of the
//! others alone.

use super::{dice::Dice, manner::Manner, paired::is_original, protecting::Edits, ruled::Alone};
use crate::support::{SECRET, Stage, claim_of, issue, note};
use bytes::Bytes;
use chrono::{Days, NaiveDate};
use gitlab_sim::{
    AccessLevel, Content, EditError, FeatureAccess, Home, Issue, IssueEdit, IssueSpec, IssueState,
    LabelSpec, NoteSpec, Sim, UserId, UserSpec, World, seed::SeededProject,
};
use std::collections::BTreeSet;

/// The two GitLabs and who writes there.
#[derive(Clone)]
pub(super) struct People {
    pub(super) source: Sim,
    pub(super) target: Sim,
    pub(super) from: SeededProject,
    pub(super) to: SeededProject,
    pub(super) manner: Manner,
    pub(super) alone: Alone,
    pub(super) edits: Edits,
    /// Comments whose copies stay as they are, by a person's decision.
    pub(super) stay: BTreeSet<u64>,
    /// Copies whose text does.
    pub(super) texts_stay: BTreeSet<u64>,
    pub(super) alice: UserId,
    pub(super) bob: UserId,
    pub(super) tom: UserId,
    /// Who Alice and Bob are on the target.
    pub(super) known: [(UserId, UserId); 2],
}

/// Who is who.
pub(super) const RULES: &str = r#"{"users":{"map":{"alice-w":"anna","bob":"ben"}}}"#;

const TEXTS: &[&str] = &[
    "/close\n/label ~theirs",
    "Hello @tom and @all, see #1 and !2, or team/inbox#1.",
    "First this.\n/spend 1h\n/title Other\nThen @tom",
    "- [ ] one\n- [x] two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "```\n/close\n@tom\n```",
    "See https://gitlab.a/shop/source/-/issues/1 and shop/source#2, GL-3 or 0123456789abcdef.",
    "",
    "> quoted\n/reopen\n\nTrailing   \n",
    "~~~\n/unlabel\n~~~\n\n<details>\n/close\n\n</details>",
];
const TITLES: &[&str] = &[
    "Plain",
    "For @tom",
    "After #1",
    "/close",
    "A & B <i>",
    "  ~bug  ",
];
const LABELS: &[&str] = &["bug", "ui", "p::high", "p::low", "new"];
/// Labels that the target's people alone use.
pub(super) const THEIRS: &[&str] = &["theirs", "later", "for tom"];

pub(super) type Done = Result<(), EditError>;

impl People {
    pub(super) fn of(stage: &Stage, manner: Manner) -> Self {
        let bob = stage.source.add_user(UserSpec::new("bob", "Bob"));
        let [anna, ben] = ["anna", "ben"].map(|name| {
            let user = stage.target.add_user(UserSpec::new(name, name));
            stage.target.edit(|world| {
                let home = world.project_mut(stage.to.project).unwrap();
                home.members.insert(user, AccessLevel::Developer);
            });
            user
        });
        let people = Self {
            source: stage.source.clone(),
            target: stage.target.clone(),
            from: stage.from.clone(),
            to: stage.to.clone(),
            manner,
            alone: Alone::default(),
            edits: Edits::default(),
            stay: BTreeSet::new(),
            texts_stay: BTreeSet::new(),
            alice: stage.alice,
            bob,
            tom: stage.tom,
            known: [(stage.alice, anna), (bob, ben)],
        };
        let (project, alice) = (people.from.project, people.alice);
        people.source.edit(|world| {
            for title in ["bug", "ui", "p::high", "p::low"] {
                let spec = LabelSpec::new(title, "#336699");
                world
                    .add_label(Home::Project(project), alice, spec)
                    .unwrap();
            }
        });
        let to = people.to.project;
        people.target.edit(|world| {
            for title in THEIRS {
                let spec = LabelSpec::new(title, "#993366");
                world
                    .add_label(Home::Project(to), people.tom, spec)
                    .unwrap();
            }
        });
        people
    }

    /// The issues that are there when all begins.
    pub(super) fn begin(&self, dice: &mut Dice) {
        self.source.edit(|world| {
            for _ in 0..2 + dice.below(3) {
                self.write(world, dice).unwrap();
            }
            let iids: Vec<u64> = iids(world, self.from.project);
            for _ in 0..dice.below(8) {
                let iid = *dice.pick(&iids).unwrap();
                self.say(world, iid, dice).unwrap();
            }
        });
        self.look_who_is_inside();
    }

    /// Whether the issues of a side can be read by those whom its project lets in.
    pub(super) fn issues_can_be_read(&self, source: bool, readable: bool) {
        let (sim, project) = if source {
            (&self.source, self.from.project)
        } else {
            (&self.target, self.to.project)
        };
        sim.edit(|world| {
            let home = world.project_mut(project).unwrap();
            home.issues_access_level = if readable {
                FeatureAccess::Enabled
            } else {
                FeatureAccess::Disabled
            };
        });
    }

    /// Somebody of the source does something.
    pub(super) fn at_source(&self, number: u64) {
        if !self.take_away(number) && !self.keep_alone(number) && !self.touch_here(number) {
            self.edit(number);
        }
        self.look_who_is_inside();
    }

    fn edit(&self, number: u64) {
        let mut dice = Dice::new(number, 2);
        if dice.chance(20) && !self.are_a_pair() {
            // It leaves things as they are if there is nothing to be done.
            let _ = gitlab_sim::seed::edit_something(&self.source, self.from.project, number, 3);
            return;
        }
        self.source
            .edit(|world| {
                let iids = iids(world, self.from.project);
                let few = iids.len() < 3 || (iids.len() < 8 && dice.chance(8));
                if few {
                    return self.write(world, &mut dice).map(|_| ());
                }
                let iid = *dice.pick(&iids).unwrap();
                match dice.below(12) {
                    0..=3 => self.say(world, iid, &mut dice),
                    4 => self.rephrase(world, iid, &mut dice),
                    5 => self.hide_or_show(world, iid),
                    6 => self.log(world, iid, &mut dice),
                    _ => self.change(world, iid, &mut dice),
                }
            })
            .unwrap();
    }

    fn write(&self, world: &mut World, dice: &mut Dice) -> Result<u64, EditError> {
        let project = self.from.project;
        let next = world.project(project).unwrap().next_iid;
        let secret = next.is_multiple_of(4);
        let spec = IssueSpec {
            confidential: secret,
            description: Some(self.text(dice, secret)),
            labels: some(LABELS, dice),
            weight: dice.chance(30).then(|| small(dice)),
            time_estimate: if dice.chance(30) { 600 } else { 0 },
            ..issue(self.author(next), dice.pick(TITLES).unwrap())
        };
        world.create_issue(project, spec)
    }

    fn text(&self, dice: &mut Dice, secret: bool) -> String {
        let text = dice.pick(TEXTS).unwrap();
        if secret {
            format!("{text}\n\nThe {SECRET} is loose ({}).", dice.below(100))
        } else {
            format!("{text}\n\nNumber {}.", dice.below(100))
        }
    }

    fn say(&self, world: &mut World, iid: u64, dice: &mut Dice) -> Done {
        let project = self.from.project;
        let there = world.issue(project, iid).unwrap();
        let internal = dice.chance(15);
        let secret = internal || holds_secret(there);
        let answered: Vec<(u64, bool)> = there
            .notes
            .iter()
            // What came from the other half of a pair is not hers to edit.
            .filter(|note| !note.system && claim_of(&note.body).is_none())
            .map(|note| (note.id, note.internal))
            .collect();
        let answered = dice.pick(&answered).copied().filter(|_| dice.chance(30));
        let (reply_to, internal) = match answered {
            Some((note, internal)) => (Some(note), internal),
            None => (None, internal),
        };
        let mut body = self.text(dice, secret && (internal || holds_secret(there)));
        if dice.chance(15) {
            let size = usize::try_from(10 + dice.below(3_000)).unwrap();
            let content = Content::Stored(Bytes::from(vec![b'x'; size]));
            let name = format!("file-{size}.txt");
            let upload = world.add_upload(project, self.alice, &name, content)?;
            body.push_str(&format!("\n\n[{name}]({})", upload.path()));
        }
        let spec = NoteSpec {
            internal,
            reply_to,
            thread: dice.chance(30),
            ..note(self.alice, &body)
        };
        world.add_note(project, iid, spec).map(|_| ())
    }

    fn rephrase(&self, world: &mut World, iid: u64, dice: &mut Dice) -> Done {
        let project = self.from.project;
        let there = world.issue(project, iid).unwrap();
        let theirs: Vec<(u64, bool)> = there
            .notes
            .iter()
            // What came from the other half of a pair is not hers to edit.
            .filter(|note| !note.system && claim_of(&note.body).is_none())
            .map(|note| (note.id, note.internal))
            .collect();
        let secret = holds_secret(there);
        let Some((note, internal)) = dice.pick(&theirs).copied() else {
            return self.say(world, iid, dice);
        };
        let body = self.text(dice, secret || internal);
        world.edit_note(project, iid, note, self.alice, &body)
    }

    fn hide_or_show(&self, world: &mut World, iid: u64) -> Done {
        let there = world.issue(self.from.project, iid).unwrap();
        let confidential = match iid % 4 {
            0 => return Ok(()),
            1 => !there.confidential,
            2 => true,
            _ => return Ok(()),
        };
        let edit = IssueEdit {
            confidential: Some(confidential),
            ..IssueEdit::default()
        };
        world.edit_issue(self.from.project, iid, self.alice, edit)
    }

    fn log(&self, world: &mut World, iid: u64, dice: &mut Dice) -> Done {
        let spent = world.issue(self.from.project, iid).unwrap().time_spent();
        let seconds = if spent > 0 && dice.chance(30) {
            -(spent / 2).max(1)
        } else {
            60 * (1 + small(dice))
        };
        world.log_time(self.from.project, iid, self.alice, seconds, None)
    }

    fn change(&self, world: &mut World, iid: u64, dice: &mut Dice) -> Done {
        let project = self.from.project;
        let secret = holds_secret(world.issue(project, iid).unwrap());
        let mut edit = any_field(world, project, iid, dice);
        match dice.below(8) {
            0 => edit.title = Some((*dice.pick(TITLES).unwrap()).to_owned()),
            1 => edit.description = Some(Some(self.text(dice, secret))),
            2 => edit.labels = Some(some(LABELS, dice)),
            3 if !secret => edit.description = Some(None),
            4 => {
                let both = [self.alice, self.bob].into_iter();
                edit.assignees = Some(both.filter(|_| dice.chance(50)).collect());
            }
            _ => {}
        }
        world.edit_issue(project, iid, self.alice, edit)
    }
}

fn holds_secret(issue: &Issue) -> bool {
    issue.confidential && issue.iid.is_multiple_of(2)
}

fn iids(world: &World, project: u64) -> Vec<u64> {
    let issues = world.issues(project).filter(|issue| is_original(issue));
    issues.map(|issue| issue.iid).collect()
}

pub(super) fn small(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(20)).unwrap()
}

fn some(titles: &[&str], dice: &mut Dice) -> Vec<String> {
    let mut titles: Vec<String> = titles
        .iter()
        .filter(|_| dice.chance(30))
        .map(|title| (*title).to_owned())
        .collect();
    // Of a scope an issue carries one where labels exclude each other.
    if titles.iter().any(|title| title == "p::low") {
        titles.retain(|title| title != "p::high");
    }
    titles
}

/// A change of one of the fields that need no text.
pub(super) fn any_field(world: &World, project: u64, iid: u64, dice: &mut Dice) -> IssueEdit {
    let mut edit = IssueEdit::default();
    match dice.below(6) {
        0 => {
            edit.state = Some(match world.issue(project, iid).unwrap().state {
                IssueState::Opened => IssueState::Closed,
                IssueState::Closed => IssueState::Opened,
            });
        }
        1 => edit.weight = Some(dice.chance(70).then(|| small(dice))),
        2 => edit.due_date = Some(dice.chance(70).then(|| day(dice))),
        3 => edit.time_estimate = Some(600 * small(dice)),
        4 => edit.discussion_locked = Some(dice.chance(50)),
        _ => {}
    }
    edit
}

fn day(dice: &mut Dice) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    first + Days::new(dice.below(300))
}
