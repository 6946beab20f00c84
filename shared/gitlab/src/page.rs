//! Lists that come in pages (facts section 1, "Pagination").

use crate::{Client, Error, ErrorKind, answer::Answer, call::Call, limits};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

/// The longest page GitLab gives.
pub(crate) const PER_PAGE: u32 = 100;

/// A list that changes under every walk is walked so often, then given up.
const WALKS: usize = 4;

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) next: Option<u32>,
    pub(crate) total: Option<u64>,
    pub(crate) clock: Option<DateTime<Utc>>,
}

impl Client {
    /// One page. The next one's number is taken from `X-Next-Page`, never from the `Link`, which
    /// names the configured host, nor from the page's length, which may be short or nothing.
    pub(crate) async fn page_of<T: DeserializeOwned>(
        &self,
        call: Call,
        page: u32,
        per_page: u32,
    ) -> Result<Page<T>, Error> {
        let mut call = call.query([
            ("page", page.to_string()),
            ("per_page", per_page.to_string()),
        ]);
        let answer = self.exchange(&mut call).await?;
        Ok(Page {
            rows: answer.decode(&call)?,
            next: next_page(&answer, &call, page)?,
            total: limits::text(&answer.headers, "x-total").and_then(|total| total.parse().ok()),
            clock: answer.clock(),
        })
    }

    /// All pages, as they come: for lists where a row missed does no harm.
    pub(crate) async fn all_pages<T: DeserializeOwned>(
        &self,
        call: impl Fn() -> Call,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        let mut next = Some(1);
        while let Some(number) = next {
            let page: Page<T> = self.page_of(call(), number, PER_PAGE).await?;
            rows.extend(page.rows);
            next = page.next;
        }
        Ok(rows)
    }

    /// All pages, proven complete: one page is proven by itself; of more, each but the last is read
    /// once more when the walk has ended, and its rows and the total must be the same, else the
    /// list is walked again. So `n` pages take `2n - 1` requests.
    ///
    /// Rows so long that a page of them is over the cap come in shorter pages. The rows come with
    /// the clock of the walk's first answer.
    pub(crate) async fn proven_pages<T: DeserializeOwned, K: PartialEq>(
        &self,
        call: impl Fn() -> Call,
        key: impl Fn(&T) -> K,
    ) -> Result<(Vec<T>, Option<DateTime<Utc>>), Error> {
        let mut per_page = PER_PAGE;
        let mut walks = 0;
        while walks < WALKS {
            match self.walk(&call, &key, per_page).await {
                Ok(Some(proven)) => return Ok(proven),
                Ok(None) => walks += 1,
                Err(error) if error.is_over_cap() && per_page > 1 => per_page /= 10,
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(&call().subject, ErrorKind::UnprovenWalk))
    }

    async fn walk<T: DeserializeOwned, K: PartialEq>(
        &self,
        call: &impl Fn() -> Call,
        key: &impl Fn(&T) -> K,
        per_page: u32,
    ) -> Result<Option<(Vec<T>, Option<DateTime<Utc>>)>, Error> {
        let first: Page<T> = self.page_of(call(), 1, per_page).await?;
        let (total, clock) = (first.total, first.clock);
        let mut next = first.next;
        let mut seen = vec![(1, first.rows)];
        while let Some(number) = next {
            let page: Page<T> = self.page_of(call(), number, per_page).await?;
            if page.total != total {
                return Ok(None);
            }
            next = page.next;
            seen.push((number, page.rows));
        }
        let again = seen
            .split_last()
            .map(|(_, before)| before)
            .unwrap_or_default();
        for (number, rows) in again {
            let page: Page<T> = self.page_of(call(), *number, per_page).await?;
            let same = page.total == total && page.rows.iter().map(key).eq(rows.iter().map(key));
            if !same {
                return Ok(None);
            }
        }
        Ok(Some((
            seen.into_iter().flat_map(|(_, rows)| rows).collect(),
            clock,
        )))
    }
}

/// The next page's number; an answer that does not say whether there is one is no answer, since a
/// list taken for complete too early makes present things look absent.
fn next_page(answer: &Answer, call: &Call, page: u32) -> Result<Option<u32>, Error> {
    let malformed = |what: &str| Err(Error::malformed(&call.subject, what));
    match limits::text(&answer.headers, "x-next-page") {
        Some("") => Ok(None),
        Some(number) => match number.parse() {
            Ok(next) if next > page => Ok(Some(next)),
            Ok(_) | Err(_) => malformed("a page whose next page does not follow it"),
        },
        // Some proxies drop headers without a value.
        None => match limits::text(&answer.headers, "x-total-pages").map(str::parse::<u32>) {
            Some(Ok(pages)) => Ok((page < pages).then_some(page + 1)),
            Some(Err(_)) | None => malformed("a page that does not tell whether it is the last"),
        },
    }
}
