//! The description of the API, and the same for reading in a browser; both come with the binary.

use axum::{Router, response::Redirect, routing::get};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/api/openapi.json";
const PAGE: &str = "/api/reference";

pub(super) fn router(document: OpenApi) -> Router {
    let page = SwaggerUi::new(PAGE)
        .url(DOCUMENT, document)
        .config(Config::default().try_it_out_enabled(true));
    Router::from(page).route(
        "/api",
        get(|| async { Redirect::temporary("/api/reference/") }),
    )
}
