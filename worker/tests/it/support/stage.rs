//! The two GitLabs before anything is mirrored.

use super::{TestClock, World};
use gitlab_sim::{
    AccessLevel, Edition, IssueSpec, NoteSpec, ProjectSpec, Sim, SimBuilder, TokenSpec, UserId,
    UserSpec, Visibility, seed, seed::SeededProject,
};

/// The two GitLabs, their projects and the tokens for them.
pub(crate) struct Stage {
    pub(crate) clock: TestClock,
    pub(crate) source: Sim,
    pub(crate) target: Sim,
    pub(crate) from: SeededProject,
    pub(crate) to: SeededProject,
    /// Writes on the source.
    pub(crate) alice: UserId,
    /// Writes on the target.
    pub(crate) tom: UserId,
}

fn sim(builder: SimBuilder, clock: &gitlab_sim::SimClock, address: &str, ids_from: u64) -> Sim {
    builder
        .clock(clock.clone())
        .external_url(address)
        .ids_from(ids_from)
        .build()
}

impl Stage {
    /// Both Premium; an empty source with a Reporter's token, an empty target with an Owner's.
    pub(crate) fn new() -> Self {
        Self::of(Edition::Premium, Edition::Premium)
    }

    pub(crate) fn of(source: Edition, target: Edition) -> Self {
        Self::from_builders(
            Sim::builder().edition(source),
            Sim::builder().edition(target),
        )
    }

    pub(crate) fn from_builders(source: SimBuilder, target: SimBuilder) -> Self {
        let clock = TestClock::new();
        let source = sim(source, &clock.source, "https://gitlab.a", 1_000);
        let target = sim(target, &clock.target, "https://gitlab.b", 500_000);
        let (from, alice) = reading_project(&source);
        let to = seed::empty_target(&target, "team/inbox");
        let tom = target.add_user(UserSpec::new("tom", "Tom of the target"));
        target.edit(|world| {
            let home = world.project_mut(to.project).unwrap();
            home.members.insert(tom, AccessLevel::Developer);
        });
        Self {
            clock,
            source,
            target,
            from,
            to,
            alice,
            tom,
        }
    }

    /// The source is the demo's project.
    pub(crate) fn demo() -> Self {
        let mut stage = Self::new();
        stage.from = seed::demo(&stage.source).unwrap();
        stage
    }

    /// Both projects are on one GitLab.
    pub(crate) fn one_instance() -> Self {
        let clock = TestClock::new();
        let source = sim(Sim::builder(), &clock.source, "https://gitlab.a", 1_000);
        let (from, alice) = reading_project(&source);
        let to = seed::empty_target(&source, "team/inbox");
        Self {
            target: source.clone(),
            tom: alice,
            clock,
            source,
            from,
            to,
            alice,
        }
    }

    /// The other way round, with a token of the same user who writes on both sides.
    pub(crate) fn reversed(world: &World) -> Self {
        let token = |sim: &Sim, of: &SeededProject, like: &str| {
            sim.edit(|world| {
                let bot = world.add_user(UserSpec {
                    bot: true,
                    ..UserSpec::new(like, like)
                });
                let home = world.project_mut(of.project).unwrap();
                home.members.insert(bot, AccessLevel::Owner);
                SeededProject {
                    token: world.add_token(bot, TokenSpec::api("")),
                    token_user: bot,
                    ..of.clone()
                }
            })
        };
        Self {
            clock: world.clock.clone(),
            from: token(&world.target, &world.to, "back-reader"),
            to: token(&world.source, &world.from, "back-writer"),
            source: world.target.clone(),
            target: world.source.clone(),
            alice: world.tom,
            tom: world.alice,
        }
    }

    /// The target token's user has another role.
    pub(crate) fn target_role(self, role: AccessLevel) -> Self {
        self.target.edit(|world| {
            let home = world.project_mut(self.to.project).unwrap();
            home.members.insert(self.to.token_user, role);
        });
        self
    }

    pub(crate) fn target_visibility(self, visibility: Visibility) -> Self {
        self.target.edit(|world| {
            world.project_mut(self.to.project).unwrap().visibility = visibility;
        });
        self
    }
}

/// `shop/source`, with a bot that reads and Alice who writes.
fn reading_project(sim: &Sim) -> (SeededProject, UserId) {
    sim.edit(|world| {
        let bot = world.add_user(UserSpec {
            bot: true,
            ..UserSpec::new("reader", "Reader")
        });
        let alice = world.add_user(UserSpec::new("alice-w", "Alice Writer"));
        let path = "shop/source";
        let members = [
            (bot, AccessLevel::Reporter),
            (alice, AccessLevel::Maintainer),
        ];
        let project = world.add_project(ProjectSpec::new(path, &members));
        let token = world.add_token(bot, TokenSpec::read_api(""));
        let seeded = SeededProject {
            project,
            path: path.to_owned(),
            token,
            token_user: bot,
        };
        (seeded, alice)
    })
}

/// An issue to be written.
pub(crate) fn issue(author: UserId, title: &str) -> IssueSpec {
    IssueSpec {
        author,
        title: title.to_owned(),
        description: Some(format!("What {title} is about.")),
        ..IssueSpec::default()
    }
}

/// A comment to be written.
pub(crate) fn note(author: UserId, body: &str) -> NoteSpec {
    NoteSpec::new(author, body)
}
