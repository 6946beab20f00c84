//! The description of all routes, made from their code.

use crate::problem::ProblemBody;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, Ref, RefOr, Response,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

const PROBLEM: &str = "application/problem+json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Issue Mirror",
        description = "Mirrors issues between GitLab instances. Errors are problems (RFC 9457) whose \
            `type` never changes. Lists have `page` and `per_page`, and `Link` tells the next page by \
            `after`, which costs the same however deep. What is configured has an `ETag`, and is \
            changed with `If-Match`."
    ),
    tags(
        (name = "instances", description = "The GitLabs"),
        (name = "mirrors", description = "Which project goes where"),
        (name = "issue sync", description = "How a mirror's issues are kept in line"),
        (name = "issues", description = "What is known of each issue"),
        (name = "operations", description = "Jobs, queues, workers, events"),
        (name = "errands", description = "What is asked of a GitLab, and what came of it"),
        (name = "access", description = "Who may do what, and who did"),
        (name = "webhooks", description = "What GitLab tells"),
    ),
    security(("token" = []), ("session" = [])),
    modifiers(&Schemes),
    components(schemas(ProblemBody))
)]
pub(crate) struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &mut document.components else {
            return;
        };
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Made with `issue-mirror token create`"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKeyValue::with_description(
            "__Host-issue-mirror",
            "Set by `POST /api/session`; changes need `X-CSRF-Token`, too",
        );
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("session", cookie);
    }
}

/// The description of all routes, as it is committed and served.
pub fn openapi() -> utoipa::openapi::OpenApi {
    whole(crate::routes::described().into_openapi())
}

/// With what is said of all routes alike.
pub(crate) fn whole(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            tell_problems(operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ];
    all.into_iter().filter_map(Option::as_mut)
}

/// Whatever else a request is answered with is a problem.
fn tell_problems(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with(['4', '5']) {
            let content = response.content.shift_remove("application/json");
            if let Some(content) = content {
                response.content.insert(PROBLEM.to_owned(), content);
            }
        }
    }
    let problem = Ref::from_schema_name(ProblemBody::name());
    let content = Content::new(Some(RefOr::<utoipa::openapi::Schema>::Ref(problem)));
    let other = Response::builder()
        .description("A problem: its `type` and `detail` tell which, and what mends it")
        .content(PROBLEM, content)
        .build();
    responses.insert("default".to_owned(), RefOr::T(other));
}
