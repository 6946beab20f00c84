//! Reactions to an issue.

use crate::{Client, Error, wire::WireAward};
use http::Method;
use mirror_core::ids::{Iid, ProjectId};
use std::collections::BTreeMap;

impl Client {
    /// How many people reacted with what, by the emoji's name.
    pub async fn reactions(
        &self,
        project: ProjectId,
        iid: Iid,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let call = || self.in_issue(Method::GET, project, iid, "/award_emoji");
        let rows: Vec<WireAward> = self.all_pages(call).await?;
        let mut counts = BTreeMap::new();
        for row in rows {
            *counts.entry(row.name).or_default() += 1;
        }
        Ok(counts)
    }
}
