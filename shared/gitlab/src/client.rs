//! One instance, one token.

use crate::{
    Calls, Options, Token,
    call::{Call, Payload, Subject},
    calls::Counter,
    origin,
    transport::Transport,
};
use http::Method;
use mirror_core::{
    ids::{Iid, ProjectId},
    ports::{Account, Class, Clock, Entropy, Pace},
};
use std::{fmt, sync::Arc};
use url::Url;

/// Speaks to one GitLab with one token. Clones are cheap and count together.
///
/// Every method sends what its name says and nothing else; the requests it takes are one, unless
/// its documentation tells of more. Reads are sent again after failures that may pass; writes never
/// are, but where GitLab refused to look at them (429, resource lock).
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) account: Account,
    pub(crate) by_hand: bool,
}

/// What clones have in common.
pub(crate) struct Shared {
    pub(crate) base: Url,
    pub(crate) instance: String,
    pub(crate) token: Token,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) pace: Arc<dyn Pace>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) options: Options,
    pub(crate) calls: Counter,
}

impl Client {
    /// A client of the GitLab whose pages are under `base` (`https://host/` or, under a sub-path,
    /// `https://host/gitlab/`). Sends nothing yet.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of its own that the composition root hands in once"
    )]
    pub fn new(
        base: Url,
        token: Token,
        account: Account,
        transport: Arc<dyn Transport>,
        pace: Arc<dyn Pace>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: &Options,
    ) -> Self {
        let base = origin::web_base(base);
        Self {
            shared: Arc::new(Shared {
                instance: origin::name(&base),
                base,
                token,
                transport,
                pace,
                clock,
                entropy,
                options: options.clone(),
                calls: Counter::default(),
            }),
            account,
            by_hand: false,
        }
    }

    /// The same client, charging another account: once the token's user is known, say.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// The same client, for what a person asked for and waits for: it may use the share of the
    /// limits that is reserved for that.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }

    /// The web address of the instance, ending in a slash.
    pub fn base(&self) -> &Url {
        &self.shared.base
    }

    /// Who is charged.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What was sent so far, by all clones.
    pub fn calls(&self) -> Calls {
        self.shared.calls.read()
    }

    /// A call of the API; `path` begins with a slash, its segments are encoded.
    pub(crate) fn api(&self, method: Method, path: &str) -> Call {
        self.page(method, &format!("api/v4{path}"), path.to_owned())
    }

    /// A call of the API below one project.
    pub(crate) fn in_project(&self, method: Method, project: ProjectId, path: &str) -> Call {
        self.api(method, &format!("/projects/{project}{path}"))
    }

    /// A call of the API below one issue.
    pub(crate) fn in_issue(
        &self,
        method: Method,
        project: ProjectId,
        iid: Iid,
        path: &str,
    ) -> Call {
        self.in_project(method, project, &format!("/issues/{iid}{path}"))
    }

    /// A call of anything below the web base; `path` has no leading slash.
    pub(crate) fn page(&self, method: Method, path: &str, shown: String) -> Call {
        let mut url = self.shared.base.clone();
        url.set_path(&format!("{}{path}", self.shared.base.path()));
        Call {
            subject: Subject::new(method.clone(), shown, &self.shared.instance),
            method,
            url,
            class: Class::Api,
            payload: Payload::Nothing,
            counted: true,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.shared.base.as_str())
            .field("token", &self.shared.token)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
