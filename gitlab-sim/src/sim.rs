//! The handle on one simulated GitLab.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use crate::clock::SimClock;
use crate::front::Front;
use crate::front::faults::FaultRule;
use crate::front::hook::Hook;
use crate::front::record::RequestRecord;
use crate::model::{
    Content, EditError, ProjectId, ProjectSpec, TokenSpec, Upload, UserId, UserSpec, World,
};
use crate::settings::{Edition, RateLimits, Settings};
use crate::text::quick_actions::Generation;

/// One simulated GitLab; clones are handles on the same one.
#[derive(Clone)]
pub struct Sim {
    state: Arc<Mutex<State>>,
    clock: SimClock,
}

/// Everything behind the one lock: a request's effect is as atomic as a database transaction.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) front: Front,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").finish_non_exhaustive()
    }
}

impl Sim {
    /// Starts with Premium 18.4.0, the machine's clock, no limits, nobody in it.
    #[must_use]
    pub fn builder() -> SimBuilder {
        SimBuilder {
            settings: Settings::default(),
            clock: SimClock::real(),
            fault_seed: 1,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.land_what_is_due();
        state
    }

    /// The clock that this GitLab lives by.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.clock.clone()
    }

    /// Sets a manual clock forward or back, as a time server does: what is under way arrives no sooner
    /// and no later for it.
    pub fn jump(&self, by: TimeDelta) {
        let mut state = self.lock();
        let before = self.clock.now();
        self.clock.set(before + by);
        let moved = self.clock.now() - before;
        for landing in &mut state.front.landings {
            landing.due += moved;
        }
    }

    /// Changes the world as its other users do.
    pub fn edit<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.lock().world)
    }

    /// Looks at the world.
    pub fn world<T>(&self, f: impl FnOnce(&World) -> T) -> T {
        f(&self.lock().world)
    }

    /// Adds a user.
    pub fn add_user(&self, spec: UserSpec) -> UserId {
        self.edit(|world| world.add_user(spec))
    }

    /// Adds a token and returns its secret text.
    pub fn add_token(&self, user: UserId, spec: TokenSpec) -> String {
        self.edit(|world| world.add_token(user, spec))
    }

    /// Adds a project.
    pub fn add_project(&self, spec: ProjectSpec) -> ProjectId {
        self.edit(|world| world.add_project(spec))
    }

    /// Gives a project another path; the old one redirects from then on.
    pub fn rename_project(&self, id: ProjectId, new_path: &str) {
        self.edit(|world| world.rename_project(id, new_path));
    }

    /// Adds a file to a project.
    ///
    /// # Errors
    /// If there is no such project.
    pub fn add_upload(
        &self,
        project: ProjectId,
        author: UserId,
        filename: &str,
        content: Content,
    ) -> Result<Upload, EditError> {
        self.edit(|world| world.add_upload(project, author, filename, content))
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.lock().front.requests.clone()
    }

    /// Forgets the requests so far; numbering goes on.
    pub fn clear_requests(&self) {
        self.lock().front.requests.clear();
    }

    /// Adds a fault; rules are tried in the order they were added, the first that strikes counts.
    pub fn fail(&self, rule: FaultRule) {
        self.lock().front.faults.add(rule);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.lock().front.faults.clear();
    }

    /// Asks `hook` at every request, before and after its effect.
    pub fn set_hook(&self, hook: Hook) {
        self.lock().front.hook = Some(hook);
    }

    /// Asks nobody any more.
    pub fn clear_hook(&self) {
        self.lock().front.hook = None;
    }

    pub(crate) fn bind_url(&self, url: &str) {
        url.clone_into(&mut self.lock().world.bound_url);
    }
}

/// The settings of a [`Sim`] to be.
#[derive(Debug)]
pub struct SimBuilder {
    settings: Settings,
    clock: SimClock,
    fault_seed: u64,
}

impl SimBuilder {
    /// Edition and licence.
    #[must_use]
    pub fn edition(mut self, edition: Edition) -> Self {
        self.settings.edition = edition;
        self
    }

    /// An enterprise code base without a valid licence.
    #[must_use]
    pub fn unlicensed(mut self) -> Self {
        self.settings.licensed = false;
        self
    }

    /// Version as text, such as `18.4.0`; a text that is no version leaves the default.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.settings.version = version.parse().unwrap_or(self.settings.version);
        self
    }

    /// Threads of issues cannot be resolved, as in older versions.
    #[must_use]
    pub fn without_resolvable_threads(mut self) -> Self {
        self.settings.resolvable_issue_threads = false;
        self
    }

    /// Which quick-action extractor runs.
    #[must_use]
    pub fn quick_actions(mut self, generation: Generation) -> Self {
        self.settings.quick_actions = generation;
        self
    }

    /// Overrides whether scoped labels exclude each other.
    #[must_use]
    pub fn scoped_exclusivity(mut self, exclusive: bool) -> Self {
        self.settings.scoped_exclusivity = Some(exclusive);
        self
    }

    /// The clock to live by.
    #[must_use]
    pub fn clock(mut self, clock: SimClock) -> Self {
        self.clock = clock;
        self
    }

    /// The configured address, where it is not the bound one; may have a path.
    #[must_use]
    pub fn external_url(mut self, url: &str) -> Self {
        self.settings.external_url = Some(url.to_owned());
        self
    }

    /// Request limits.
    #[must_use]
    pub fn limits(mut self, limits: RateLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Seed of faults that strike by share.
    #[must_use]
    pub fn faults(mut self, seed: u64) -> Self {
        self.fault_seed = seed;
        self
    }

    /// Seed of secrets and discussion ids.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// First global id is this plus one, so that two instances do not share ids by accident.
    #[must_use]
    pub fn ids_from(mut self, first: u64) -> Self {
        self.settings.ids_from = first;
        self
    }

    /// Largest upload in bytes; `None` is unlimited, the default is 100 MiB.
    #[must_use]
    pub fn max_attachment_bytes(mut self, bytes: Option<u64>) -> Self {
        self.settings.max_attachment_bytes = bytes;
        self
    }

    /// Whether downloads announce their length.
    #[must_use]
    pub fn announce_length(mut self, announce: bool) -> Self {
        self.settings.announce_length = announce;
        self
    }

    /// API downloads answer 302 to this origin, as with object storage.
    #[must_use]
    pub fn uploads_redirect_to(mut self, origin: &str) -> Self {
        self.settings.uploads_redirect_to = Some(origin.trim_end_matches('/').to_owned());
        self
    }

    /// The simulated GitLab.
    #[must_use]
    pub fn build(self) -> Sim {
        let state = State {
            world: World::new(self.settings, self.clock.clone()),
            front: Front::new(self.fault_seed),
        };
        Sim {
            state: Arc::new(Mutex::new(state)),
            clock: self.clock,
        }
    }
}
