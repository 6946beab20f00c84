//! Who is who on target instances, for a short while.

use crate::{
    SyncError,
    each::Each,
    error::{On, Side},
    link::Link,
};
use mirror_core::{
    ids::{InstanceId, ProjectId, UserId},
    people::Account,
    ports::Clock,
    project::Role,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// An account that is made, renamed or let into a project meanwhile is met after this.
const LIFE: Duration = Duration::from_secs(300);

/// Accounts on target instances, and what they may do in target projects; looked up once for many
/// issues.
#[derive(Default)]
pub struct Accounts {
    named: Each<InstanceId, Found<String, Account>>,
    roles: Each<(InstanceId, ProjectId), Found<UserId, Role>>,
}

type Found<K, T> = HashMap<K, Seen<Option<T>>>;

struct Seen<T> {
    what: T,
    at: Duration,
}

impl<T: Clone> Seen<T> {
    fn fresh(&self, now: Duration) -> Option<T> {
        let fresh = now.saturating_sub(self.at) < LIFE;
        fresh.then(|| self.what.clone())
    }
}

impl Accounts {
    /// The account of that name on the link's target; `None`: there is none.
    pub(crate) async fn named(
        &self,
        link: &Link,
        clock: &Arc<dyn Clock>,
        username: &str,
    ) -> Result<Option<Account>, SyncError> {
        let target = &link.target;
        let mut named = self.named.lock(target.instance).await;
        let at = clock.monotonic();
        if let Some(known) = named.get(username).and_then(|seen| seen.fresh(at)) {
            return Ok(known);
        }
        let found = target.client.user_named(username).await.on(Side::Target)?;
        let what = found.map(|user| Account {
            id: user.id,
            username: user.username,
        });
        let seen = Seen {
            what: what.clone(),
            at,
        };
        named.insert(username.to_owned(), seen);
        Ok(what)
    }

    /// What somebody may do in the link's target project; `None` for a non-member.
    pub(crate) async fn role(
        &self,
        link: &Link,
        clock: &Arc<dyn Clock>,
        user: UserId,
    ) -> Result<Option<Role>, SyncError> {
        let target = &link.target;
        let project = target.project.id;
        let mut roles = self.roles.lock((target.instance, project)).await;
        let at = clock.monotonic();
        if let Some(known) = roles.get(&user).and_then(|seen| seen.fresh(at)) {
            return Ok(known);
        }
        let found = target.client.member_role(project, user).await;
        let what = found.on(Side::Target)?;
        roles.insert(user, Seen { what, at });
        Ok(what)
    }
}
