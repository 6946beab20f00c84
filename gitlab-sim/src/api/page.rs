//! Offset paging and its headers, keyset paging where the version admits it (facts section 1).

use super::answer::ApiError;
use super::call::Call;
use super::params::Given;
use crate::model::World;

/// Rows above which totals and `rel="last"` are no longer told.
const COUNT_CEILING: usize = 10_000;

/// One page of rows with the headers that describe it.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

fn positive(call: &Call, name: &str, default: usize) -> Result<usize, ApiError> {
    match call.params.integer(name)? {
        Given::Value(number) => Ok(usize::try_from(number).unwrap_or(1).max(1)),
        Given::Absent | Given::Cleared => Ok(default),
    }
}

/// Cuts the asked page out of all rows, in their order.
pub(crate) fn paginate<T>(world: &World, call: &Call, rows: Vec<T>) -> Result<Page<T>, ApiError> {
    if call.params.text("pagination").as_deref() == Some("keyset") {
        return Err(keyset_refused());
    }
    let page = positive(call, "page", 1)?;
    let per_page = positive(call, "per_page", 20)?.min(100);
    let total = rows.len();
    let pages = total.div_ceil(per_page).max(1);
    let rows: Vec<T> = rows
        .into_iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .collect();
    let next = (page < pages).then(|| page + 1);
    let previous = (page > 1).then(|| page - 1);
    let shown =
        |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
    let mut headers = vec![
        ("X-Page", page.to_string()),
        ("X-Per-Page", per_page.to_string()),
        ("X-Next-Page", shown(next)),
        ("X-Prev-Page", shown(previous)),
    ];
    let counted = total <= COUNT_CEILING;
    if counted {
        headers.push(("X-Total", total.to_string()));
        headers.push(("X-Total-Pages", pages.to_string()));
    }
    let mut links = Vec::new();
    let targets = [
        (previous, "prev"),
        (next, "next"),
        (Some(1), "first"),
        (counted.then_some(pages), "last"),
    ];
    for (number, relation) in targets {
        if let Some(number) = number {
            let extra = [
                ("page", number.to_string()),
                ("per_page", per_page.to_string()),
            ];
            links.push(format!(
                "<{}>; rel=\"{relation}\"",
                link(world, call, &extra)
            ));
        }
    }
    headers.push(("Link", links.join(", ")));
    Ok(Page { rows, headers })
}

pub(crate) fn keyset_refused() -> ApiError {
    ApiError::error(
        405,
        "Keyset pagination is not yet available for this type of request",
    )
}

/// Cuts by a cursor: `position` gives each row's place in the order, unique per row.
pub(crate) fn paginate_by_key<T>(
    world: &World,
    call: &Call,
    rows: Vec<T>,
    position: impl Fn(&T) -> String,
) -> Result<Page<T>, ApiError> {
    let per_page = positive(call, "per_page", 20)?.min(100);
    let after = call
        .params
        .text("cursor")
        .filter(|cursor| !cursor.is_empty());
    let start = match &after {
        None => 0,
        Some(cursor) => rows
            .iter()
            .position(|row| position(row) == *cursor)
            .map(|found| found + 1)
            .ok_or_else(|| ApiError::error(400, "cursor is invalid"))?,
    };
    let more = rows.len() > start + per_page;
    let rows: Vec<T> = rows.into_iter().skip(start).take(per_page).collect();
    let mut headers = vec![("X-Per-Page", per_page.to_string())];
    if let Some(cursor) = rows.last().map(position).filter(|_| more) {
        let extra = [
            ("cursor", cursor.clone()),
            ("per_page", per_page.to_string()),
        ];
        headers.push(("X-Next-Cursor", cursor));
        headers.push((
            "Link",
            format!("<{}>; rel=\"next\"", link(world, call, &extra)),
        ));
    }
    Ok(Page { rows, headers })
}

/// The address of another page: with the *configured* host, whatever address was called.
fn link(world: &World, call: &Call, changed: &[(&str, String)]) -> String {
    let kept = call.raw_query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or("");
        !pair.is_empty() && !changed.iter().any(|(other, _)| *other == name)
    });
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.extend(
        changed
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    format!("{}{}?{}", world.base_url(), call.raw_path, pairs.join("&"))
}
