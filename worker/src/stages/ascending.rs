//! A walk over everything that changed since a time, oldest change first, that misses nothing
//! while people go on editing.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{IssueId, ProjectId},
    issue::Issue,
};
use mirror_gitlab::{Client, Error, IssueQuery, Sort};
use std::collections::HashSet;

/// GitLab shows milliseconds and keeps microseconds, so a time copied from an answer is at or
/// before the true one; this much later is after it.
const GRAIN: TimeDelta = TimeDelta::milliseconds(1);

/// Always the first page, from an inclusive bound that advances to the last row seen: a row edited
/// meanwhile moves to the end and is met again, none can slip between two pages.
pub(crate) struct Ascending<'a> {
    client: &'a Client,
    project: ProjectId,
    query: IssueQuery,
    seen: HashSet<IssueId>,
    ended: bool,
}

/// What one step of the walk found.
pub(crate) struct Batch {
    /// Rows not met before.
    pub(crate) issues: Vec<Issue>,
    /// The change up to which everything has been met.
    pub(crate) until: Option<DateTime<Utc>>,
    /// The instance's own clock.
    pub(crate) clock: Option<DateTime<Utc>>,
}

impl<'a> Ascending<'a> {
    /// `query` says from when, and which; its order and pages are the walk's affair.
    pub(crate) fn new(client: &'a Client, project: ProjectId, query: IssueQuery) -> Self {
        let query = IssueQuery {
            sort: Sort::Asc,
            page: 1,
            ..query
        };
        Self {
            client,
            project,
            query,
            seen: HashSet::new(),
            ended: false,
        }
    }

    /// The next rows; `None` when the walk has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Batch>, Error> {
        if self.ended {
            return Ok(None);
        }
        let page = loop {
            match self.client.issues(self.project, &self.query).await {
                // A hundred long descriptions can be more than an answer may hold.
                Err(error) if error.is_over_cap() && self.query.per_page > 1 => {
                    self.query.per_page = (self.query.per_page / 5).max(1);
                }
                page => break page?,
            }
        };
        let clock = page.clock;
        let last = page.issues.last().map(|issue| issue.updated_at);
        let mut rows = page.issues;
        if page.next_page.is_none() {
            self.ended = true;
        } else if let Some(last) = last
            && self
                .query
                .updated_after
                .is_some_and(|bound| last < bound + GRAIN)
        {
            // The whole page shares one time, as after a bulk edit: the bound cannot advance.
            rows.extend(self.plateau(last).await?);
            self.query.updated_after = Some(last + GRAIN);
        } else {
            self.query.updated_after = last.or(self.query.updated_after);
        }
        rows.retain(|issue| self.seen.insert(issue.id));
        Ok(Some(Batch {
            issues: rows,
            until: last,
            clock,
        }))
    }

    /// All rows of one time, by page numbers, last page first: a row that leaves shifts others to
    /// an earlier page, which is yet to come.
    async fn plateau(&self, at: DateTime<Utc>) -> Result<Vec<Issue>, Error> {
        let mut query = IssueQuery {
            updated_after: Some(at),
            updated_before: Some(at + GRAIN),
            ..self.query.clone()
        };
        let first = self.client.issues(self.project, &query).await?;
        let per_page = u64::from(query.per_page.max(1));
        let pages = match first.total {
            Some(total) => u32::try_from(total.div_ceil(per_page)).unwrap_or(u32::MAX),
            None => self.last_page(&query).await?,
        };
        let mut rows = Vec::new();
        for page in (2..=pages).rev() {
            query.page = page;
            rows.extend(self.client.issues(self.project, &query).await?.issues);
        }
        query.page = 1;
        rows.extend(self.client.issues(self.project, &query).await?.issues);
        Ok(rows)
    }

    /// Beyond 10,000 rows GitLab does not say how many there are.
    async fn last_page(&self, query: &IssueQuery) -> Result<u32, Error> {
        let mut query = query.clone();
        loop {
            match self.client.issues(self.project, &query).await?.next_page {
                Some(next) => query.page = next,
                None => return Ok(query.page),
            }
        }
    }
}
