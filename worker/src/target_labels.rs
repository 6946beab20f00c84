//! The labels that target projects have, for a short while.

use crate::{SyncError, each::Each, error::On, error::Side, link::Link};
use mirror_core::{
    ids::{InstanceId, ProjectId},
    ports::Clock,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::OwnedMutexGuard;

/// A label deleted in the meantime is made again by GitLab itself, in its default colour: nothing
/// worse comes of looking only this often.
const LIFE: Duration = Duration::from_secs(300);

/// The labels that target projects have.
#[derive(Default)]
pub struct TargetLabels(Each<(InstanceId, ProjectId), Option<Listed>>);

struct Listed {
    titles: BTreeSet<String>,
    at: Duration,
}

impl TargetLabels {
    async fn of(&self, link: &Link) -> OwnedMutexGuard<Option<Listed>> {
        let project = (link.target.instance, link.target.project.id);
        self.0.lock(project).await
    }

    /// All titles of the link's target, its groups' included; one listing for many issues.
    pub(crate) async fn all(
        &self,
        link: &Link,
        clock: &Arc<dyn Clock>,
    ) -> Result<BTreeSet<String>, SyncError> {
        let mut listed = self.of(link).await;
        if let Some(fresh) = &*listed
            && clock.monotonic().saturating_sub(fresh.at) < LIFE
        {
            return Ok(fresh.titles.clone());
        }
        let at = clock.monotonic();
        let labels = link
            .target
            .client
            .labels(link.target.project.id)
            .await
            .on(Side::Target)?;
        let titles: BTreeSet<String> = labels.into_iter().map(|label| label.title).collect();
        *listed = Some(Listed {
            titles: titles.clone(),
            at,
        });
        Ok(titles)
    }

    /// Whether a title is there already; else it counts as there from now on, and the caller makes
    /// it. So two jobs that need one label make it once.
    pub(crate) async fn claim(&self, link: &Link, title: &str) -> bool {
        let mut listed = self.of(link).await;
        listed
            .as_mut()
            .is_none_or(|listed| listed.titles.insert(title.to_owned()))
    }

    /// The titles that an issue was given are there now.
    pub(crate) async fn add(&self, link: &Link, titles: &[String]) {
        if let Some(listed) = &mut *self.of(link).await {
            listed.titles.extend(titles.iter().cloned());
        }
    }

    /// A title could not be made after all.
    pub(crate) async fn unclaim(&self, link: &Link, title: &str) {
        if let Some(listed) = &mut *self.of(link).await {
            listed.titles.remove(title);
        }
    }
}
