//! Time tracking (facts section 7). A bare number would mean hours: seconds are always named.

use crate::{Client, Error, Stamped, wire::WireTime};
use http::Method;
use mirror_core::{
    ids::{Iid, ProjectId},
    issue::TimeStats,
};
use serde_json::json;

impl Client {
    /// Sets the estimate, in seconds; 0 takes it away.
    pub async fn set_time_estimate(
        &self,
        project: ProjectId,
        iid: Iid,
        seconds: i64,
    ) -> Result<TimeStats, Error> {
        let call = |path| self.in_issue(Method::POST, project, iid, path);
        let call = match seconds {
            // "0s" works in newer versions only.
            0 => call("/reset_time_estimate"),
            _ => call("/time_estimate").json(&json!({ "duration": format!("{seconds}s") })),
        };
        let stats: Stamped<WireTime> = self.get(call).await?;
        Ok(stats.value.into())
    }

    /// Logs time, in seconds; a negative number takes some off, never below zero in all. Not
    /// idempotent, and never sent twice by itself, unless it was refused unread.
    pub async fn add_spent_time(
        &self,
        project: ProjectId,
        iid: Iid,
        seconds: i64,
    ) -> Result<TimeStats, Error> {
        let call = self
            .in_issue(Method::POST, project, iid, "/add_spent_time")
            .json(&json!({ "duration": format!("{seconds}s") }));
        let stats: Stamped<WireTime> = self.get(call).await?;
        Ok(stats.value.into())
    }
}
