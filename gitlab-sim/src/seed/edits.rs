//! What the people of a project do while somebody watches.

mod attributes;
mod life;
mod talk;

use attributes::{add_to_description, log_time, relabel, reweigh, set_due_date};
use life::{close, reopen, write_issue};
use talk::{comment, rephrase_a_comment};

use super::dice::Dice;
use crate::{AccessLevel, EditError, Issue, IssueState, ProjectId, Sim, UserId, World};

/// Makes one believable edit, now, and says in one line what it was.
///
/// The same seed and step choose the same kind of edit; on which issue depends on the world as it
/// is. Quick actions, mentions and references are left to the stories: these edits cost what an
/// ordinary day costs.
///
/// # Errors
/// If there is no such project.
pub fn edit_something(
    sim: &Sim,
    project: ProjectId,
    seed: u64,
    step: u64,
) -> Result<String, EditError> {
    let mut dice = Dice::new(seed, step);
    sim.edit(|world| {
        let person = somebody(world, project, &mut dice)?;
        let Some(issue) = an_issue(world, project, &mut dice) else {
            return write_issue(world, project, person, &mut dice);
        };
        let scene = Scene {
            project,
            iid: issue.iid,
            person,
        };
        match dice.below(20) {
            0..=6 => comment(world, &scene, &mut dice),
            7..=8 => log_time(world, &scene, &mut dice),
            9..=10 => relabel(world, &scene, &mut dice),
            11..=12 => add_to_description(world, &scene, &mut dice),
            13 => reweigh(world, &scene, &mut dice),
            14 => set_due_date(world, &scene, &mut dice),
            15 => rephrase_a_comment(world, &scene, &mut dice),
            16 => close(world, &scene, &mut dice),
            17 => reopen(world, &scene, &mut dice),
            _rest => write_issue(world, project, person, &mut dice),
        }
    })
}

/// Who does it, where.
struct Scene {
    project: ProjectId,
    iid: u64,
    person: UserId,
}

impl Scene {
    fn line(&self, world: &World, what: &str) -> String {
        let title = world
            .issue(self.project, self.iid)
            .map_or("", |issue| issue.title.as_str());
        format!(
            "{} {what} #{} “{title}”",
            name(world, self.person),
            self.iid
        )
    }
}

fn name(world: &World, person: UserId) -> &str {
    world
        .user(person)
        .map_or("Somebody", |user| user.name.as_str())
}

fn somebody(world: &World, project: ProjectId, dice: &mut Dice) -> Result<UserId, EditError> {
    let home = world
        .project(project)
        .ok_or(EditError::NoSuchProject(project))?;
    let is_bot = |id: &UserId| world.user(*id).is_some_and(|user| user.bot);
    let able = home
        .members
        .iter()
        .filter(|(id, role)| **role >= AccessLevel::Planner && !is_bot(id));
    let people: Vec<UserId> = able.map(|(id, _)| *id).collect();
    dice.pick(&people).copied().ok_or(EditError::NoSuchUser(0))
}

/// An open issue, mostly a young one.
fn an_issue<'w>(world: &'w World, project: ProjectId, dice: &mut Dice) -> Option<&'w Issue> {
    let mut issues: Vec<&Issue> = world
        .issues(project)
        .filter(|issue| issue.state == IssueState::Opened)
        .filter(|issue| issue.moved_to.is_none())
        .collect();
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.iid));
    let reach = if dice.chance(60) { 12 } else { issues.len() };
    let young: Vec<&Issue> = issues.into_iter().take(reach).collect();
    dice.pick(&young).copied()
}
