//! What people of the target do there while the mirror works.

use super::{
    dice::Dice,
    people::{Done, People, THEIRS, any_field, small},
};
use crate::support::{copies, issue, note};
use gitlab_sim::{UserId, World};

impl People {
    /// Somebody of the target does something: mostly to a copy, as far as it is theirs.
    pub(super) fn at_target(&self, number: u64) {
        let mut dice = Dice::new(number, 4);
        let project = self.to.project;
        let all = copies(&self.target, project);
        let open: Vec<u64> = all
            .iter()
            .filter(|copy| copy.of % 4 == 3 && !copy.issue.confidential)
            .map(|copy| copy.issue.iid)
            .collect();
        let shown = |iid| {
            self.target
                .world(|world| world.issue(project, iid).cloned().unwrap())
        };
        let copy = dice.pick(&open).copied().filter(|_| dice.chance(90));
        let before = copy.map(shown);
        self.target
            .edit(|world| match copy {
                None => {
                    let spec = issue(self.tom, "Of the target");
                    world.create_issue(project, spec).map(|_| ())
                }
                Some(iid) => self.touch(world, iid, &mut dice),
            })
            .unwrap();
        if let Some(before) = before {
            self.has_edited(&before, &shown(before.iid));
        }
    }

    fn touch(&self, world: &mut World, iid: u64, dice: &mut Dice) -> Done {
        let project = self.to.project;
        match dice.below(10) {
            0..=2 => world
                .add_note(project, iid, note(self.tom, "Of the target."))
                .map(|_| ()),
            3 => world.log_time(project, iid, self.tom, 60 * (1 + small(dice)), None),
            4..=6 => {
                let mut titles = world.label_titles(world.issue(project, iid).unwrap());
                let title = *dice.pick(THEIRS).unwrap();
                if dice.chance(25) {
                    titles.retain(|there| there != title);
                } else if !titles.iter().any(|there| there == title) {
                    titles.push(title.to_owned());
                }
                let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
                world.set_labels(project, iid, self.tom, &titles)
            }
            _ => {
                let mut edit = any_field(world, project, iid, dice);
                if dice.chance(30) {
                    edit.title = Some("Renamed there".to_owned());
                }
                if dice.chance(30) {
                    let text = world.issue(project, iid).unwrap().description.clone();
                    edit.description = Some(Some(text.unwrap_or_default() + "\n\nAdded there."));
                }
                if dice.chance(30) {
                    edit.assignees = Some(self.with_or_without_tom(world, iid));
                }
                world.edit_issue(project, iid, self.tom, edit)
            }
        }
    }

    /// Tom puts himself among those who are assigned, or takes himself out.
    fn with_or_without_tom(&self, world: &World, iid: u64) -> Vec<UserId> {
        let there = world.issue(self.to.project, iid).unwrap();
        let mut assignees = there.assignees.clone();
        if assignees.contains(&self.tom) {
            assignees.retain(|user| *user != self.tom);
        } else {
            assignees.push(self.tom);
        }
        assignees
    }
}
