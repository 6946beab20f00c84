//! The project that the demo mirrors, and the one that it mirrors into.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{cast, script, stories};
use crate::{
    AccessLevel, EditError, ProjectId, ProjectSpec, Sim, TokenSpec, UserId, UserSpec, Visibility,
};

/// A project made by a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededProject {
    /// Global id.
    pub project: ProjectId,
    /// `group/project`.
    pub path: String,
    /// Secret of a token of the `api` scope: of a Reporter where there is something to read, of an
    /// Owner where everything is to be written.
    pub token: String,
    /// Whose token it is.
    pub token_user: UserId,
}

/// `shop/checkout`: a small software product with a few months of history behind it, some forty
/// issues of every kind that a mirror has to cope with.
///
/// # Errors
/// If a world that is not empty contradicts it.
pub fn demo(sim: &Sim) -> Result<SeededProject, EditError> {
    sim.edit(|world| {
        let founded = world.now() - TimeDelta::days(200);
        let people = world.at(founded, cast::people);
        let bot = UserSpec {
            bot: true,
            ..UserSpec::new("mirror-reader", "Mirror (reads)")
        };
        let bot = world.add_user(bot);
        let mut members: Vec<(UserId, AccessLevel)> =
            people.iter().map(|(_, id, role)| (*id, *role)).collect();
        members.push((bot, AccessLevel::Reporter));
        let spec = ProjectSpec {
            path: "shop/checkout".to_owned(),
            name: "Checkout".to_owned(),
            description: "From the cart to the confirmation, for the shop of Fernweg Outdoor"
                .to_owned(),
            visibility: Visibility::Private,
            ..ProjectSpec::new("", &members)
        };
        let project = world.at(founded, |world| world.add_project(spec));
        let named: HashMap<&'static str, UserId> =
            people.iter().map(|(name, id, _)| (*name, *id)).collect();
        let cast = cast::plans(world, project, "shop", named)?;
        script::play(world, &cast, &stories::all())?;
        let links = [(12, 36, true), (11, 38, false), (31, 22, true)];
        for (from, to, blocks) in links {
            world.link_issues(cast.person("mara"), (project, from), (project, to), blocks)?;
        }
        let token = world.add_token(bot, TokenSpec::default());
        Ok(SeededProject {
            project,
            path: "shop/checkout".to_owned(),
            token,
            token_user: bot,
        })
    })
}

/// An empty private project at `path`, with a bot that owns it.
pub fn empty_target(sim: &Sim, path: &str) -> SeededProject {
    sim.edit(|world| {
        let bot = UserSpec {
            bot: true,
            ..UserSpec::new("issue-mirror", "Issue Mirror")
        };
        let bot = world.add_user(bot);
        let project = world.add_project(ProjectSpec {
            description: "Mirrored issues arrive here".to_owned(),
            ..ProjectSpec::new(path, &[(bot, AccessLevel::Owner)])
        });
        let token = world.add_token(bot, TokenSpec::default());
        SeededProject {
            project,
            path: path.to_owned(),
            token,
            token_user: bot,
        }
    })
}
