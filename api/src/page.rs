//! Lists, a page at a time.

use crate::problem::Problem;
use axum::{
    Json,
    http::{HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Rows a page has where none is asked for.
const USUAL: u32 = 50;
/// Rows that a page may have.
const MOST: u32 = 200;
/// Rows that may be passed over by number; whoever wants to go deeper says after which row.
const DEEPEST: u64 = 10_000;

/// Which page of a list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001, example = 1)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id: costs the same however deep. `Link` names it.
    after: Option<i64>,
}

/// What a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Rows behind this one.
    pub(crate) after: Option<i64>,
    /// Rows to pass over.
    pub(crate) offset: i64,
    /// Rows of the page, and one that tells whether there is another page.
    pub(crate) limit: u32,
    pub(crate) per_page: u32,
    pub(crate) page: Option<u32>,
}

impl Page {
    pub(crate) fn wanted(
        page: Option<u32>,
        per_page: Option<u32>,
        after: Option<i64>,
    ) -> Result<Wanted, Problem> {
        Self {
            page,
            per_page,
            after,
        }
        .read()
    }

    pub(crate) fn read(self) -> Result<Wanted, Problem> {
        let per_page = self.per_page.unwrap_or(USUAL);
        if !(1..=MOST).contains(&per_page) {
            return Err(Problem::parameter("per_page", format!("give 1 to {MOST}")));
        }
        if self.page == Some(0) {
            return Err(Problem::parameter("page", "pages are counted from 1"));
        }
        if self.page.is_some() && self.after.is_some() {
            return Err(Problem::parameter("after", "give either page or after"));
        }
        let passed = u64::from(self.page.unwrap_or(1) - 1) * u64::from(per_page);
        if passed > DEEPEST {
            let detail = format!(
                "only the first {DEEPEST} rows have page numbers; go on with after, as Link tells"
            );
            return Err(Problem::parameter("page", detail));
        }
        Ok(Wanted {
            after: self.after,
            offset: i64::try_from(passed).unwrap_or(i64::MAX),
            limit: per_page + 1,
            per_page,
            page: self.page,
        })
    }
}

const PER_PAGE: HeaderName = HeaderName::from_static("x-per-page");
const NEXT_PAGE: HeaderName = HeaderName::from_static("x-next-page");
const PAGE: HeaderName = HeaderName::from_static("x-page");

/// Answers with a page, and where the next one is.
pub(crate) fn paged<R, T: Serialize>(
    uri: &Uri,
    wanted: &Wanted,
    mut rows: Vec<R>,
    id: impl Fn(&R) -> i64,
    shown: impl Fn(R) -> T,
) -> Response {
    let per_page = usize::try_from(wanted.per_page).unwrap_or(usize::MAX);
    let more = rows.len() > per_page;
    rows.truncate(per_page);
    let next = rows.last().filter(|_| more).map(id);
    let shown: Vec<T> = rows.into_iter().map(shown).collect();
    answer(uri, wanted, &shown, next)
}

/// Answers with what was found, and behind which row to go on.
pub(crate) fn answer<T: Serialize>(
    uri: &Uri,
    wanted: &Wanted,
    shown: &[T],
    next: Option<i64>,
) -> Response {
    let mut response = Json(shown).into_response();
    let mut links = vec![link(uri, &[], "first")];
    let headers = response.headers_mut();
    headers.insert(PER_PAGE, HeaderValue::from(wanted.per_page));
    if let Some(page) = wanted.page.filter(|_| next.is_some()) {
        headers.insert(NEXT_PAGE, HeaderValue::from(page + 1));
    }
    if let Some(page) = wanted.page {
        headers.insert(PAGE, HeaderValue::from(page));
        if page > 1 {
            links.push(link(uri, &[("page", (page - 1).to_string())], "prev"));
        }
    }
    if let Some(next) = next {
        links.push(link(uri, &[("after", next.to_string())], "next"));
    }
    if let Ok(links) = HeaderValue::from_str(&links.join(", ")) {
        headers.insert(header::LINK, links);
    }
    response
}

/// The same list from another place on.
fn link(uri: &Uri, place: &[(&str, String)], rel: &str) -> String {
    let given = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in given {
        if name != "page" && name != "after" {
            query.append_pair(&name, &value);
        }
    }
    for (name, value) in place {
        query.append_pair(name, value);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("<{}{mark}{query}>; rel=\"{rel}\"", uri.path())
}
