//! What every page has around it.

use super::site::Site;
use crate::Edition;
use crate::text::visible::escaped;

const STYLE: &str = include_str!("style.css");

/// A complete page. `trail` are the steps from the start page: text and address.
pub(super) fn page(site: &Site<'_>, title: &str, trail: &[(String, String)], body: &str) -> String {
    let host = site.world.base_url();
    let edition = match site.world.settings.edition {
        Edition::Ce => "Community",
        Edition::Premium => "Premium",
        Edition::Ultimate => "Ultimate",
    };
    let steps: String = trail
        .iter()
        .map(|(text, address)| {
            format!(
                "<li><a href=\"{}\">{}</a></li>",
                escaped(address),
                escaped(text)
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · {host}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <header><div class=\"bar\"><a class=\"brand\" href=\"{home}\">{mark}<b>{host}</b></a>\
         <span class=\"quiet\">simulated GitLab {version} {edition}</span></div></header>\
         <nav class=\"trail\"><ol>{steps}</ol></nav><main>{body}</main></body></html>\n",
        title = escaped(title),
        host = escaped(host.split_once("://").map_or(host, |(_, rest)| rest)),
        home = escaped(&site.to("")),
        mark = MARK,
        version = site.world.settings.version,
    )
}

/// A page that says that there is none.
pub(super) fn not_found(site: &Site<'_>) -> String {
    let body = format!(
        "<section class=\"empty\"><h1>404</h1><p>There is no page at this address.</p>\
         <p><a href=\"{}\">All projects</a></p></section>",
        escaped(&site.to(""))
    );
    page(site, "Not found", &[], &body)
}

/// A drawing of two sheets, one the mirror of the other; our own, not GitLab's.
const MARK: &str = "<svg viewBox=\"0 0 24 24\" width=\"22\" height=\"22\" aria-hidden=\"true\">\
    <path d=\"M11 4v16H3z\" fill=\"#7b58cf\"/><path d=\"M13 4v16h8z\" fill=\"#e56b2c\"/></svg>";
