//! A record with much in it, and the API that serves it.

use anyhow::Context;
use mirror_api::{ApiState, Metrics, TrustedProxies, credential, serve};
use mirror_core::{
    ids::{InstanceId, InstanceName, MirrorId, ProjectId},
    ports::{Clock, Entropy},
};
use mirror_queue::{budget::Budget, signals::Signals};
use mirror_runtime::SystemEntropy;
use mirror_store::{
    Cipher, DatabaseUrl, HookSecrets, MirrorEnd, NewMirror, NewToken, Role, Store,
    testing::{Filled, fill, hook},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A page and a little of everything: what a filter finds among much else.
const LITTLE: i64 = 60;

/// By which hooks are known.
const SECRET: &str = "open sesame";

/// An API that answers.
pub(crate) struct Served {
    /// Where.
    pub(crate) address: SocketAddr,
    /// The mirror that has most of it.
    pub(crate) busy: MirrorId,
    /// What that has.
    pub(crate) filled: Filled,
    /// How many of each.
    pub(crate) rows: i64,
    /// One that has little.
    pub(crate) quiet: MirrorId,
    /// That one's source, which no other has.
    pub(crate) instance: InstanceId,
    token: String,
    _end: DropGuard,
}

impl Served {
    /// Serves a new record with so many rows of everything.
    pub(crate) async fn on(
        url: &DatabaseUrl,
        clock: Arc<dyn Clock>,
        rows: i64,
    ) -> anyhow::Result<Self> {
        Store::migrate(url, clock.clone()).await?;
        let store = Store::connect(url, clock.clone()).await?;
        let busy = mirror(&store, 1, "gitlab.a").await?;
        let quiet = mirror(&store, 2, "gitlab.c").await?;
        let instance = store.mirror(quiet).await?.source.instance;
        let (cipher, entropy) = (Cipher::new(&[7; 32]), Arc::new(SystemEntropy));
        let secrets = HookSecrets {
            token: SECRET.to_owned(),
            signing_key: String::new(),
        };
        hook(&store, busy, secrets, (&cipher, &*entropy)).await?;
        let filled = fill(&store, busy, rows).await?;
        fill(&store, quiet, LITTLE).await?;
        let token = token(&store, &*entropy).await?;
        let state = ApiState {
            store,
            cipher,
            redis: None,
            signals: Signals::in_process(),
            budget: Arc::new(Budget::new(clock.clone())),
            clock,
            entropy,
            metrics: Arc::new(Metrics::new()),
            proxies: TrustedProxies::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let end = CancellationToken::new();
        tokio::spawn(serve(listener, state, end.clone()));
        Ok(Self {
            address,
            busy,
            filled,
            rows,
            quiet,
            instance,
            token,
            _end: end.drop_guard(),
        })
    }

    /// What a source tells of the issue with this number, as it sends it.
    pub(crate) fn telling(&self, iid: usize) -> Vec<u8> {
        let text = "A few lines, as people write them.\\n".repeat(60);
        let body = format!(
            r#"{{"object_kind":"issue","project":{{"id":1}},"object_attributes":
               {{"id":{iid},"iid":{iid},"action":"update","description":"{text}"}}}}"#
        );
        format!(
            "POST /api/hooks/gitlab/{} HTTP/1.1\r\nHost: localhost\r\nX-Gitlab-Token: {SECRET}\r\n\
             X-Gitlab-Event: Issue Hook\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.busy,
            body.len()
        )
        .into_bytes()
    }

    /// A question as it is sent.
    pub(crate) fn request(&self, path: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        )
        .into_bytes()
    }
}

async fn mirror(store: &Store, project: i64, source: &str) -> anyhow::Result<MirrorId> {
    let mut ends = Vec::new();
    for name in [source, "gitlab.b"] {
        let name = InstanceName(name.to_owned());
        let base = format!("https://{name}/");
        ends.push(MirrorEnd {
            instance: store.register_instance(&name, &base, &[]).await?,
            project: ProjectId(project),
            path: format!("group/project-{project}"),
        });
    }
    let (target, source) = (ends.pop().context("two")?, ends.pop().context("two")?);
    let mirror = store.ensure_mirror(&NewMirror { source, target }).await?;
    Ok(mirror.id)
}

async fn token(store: &Store, entropy: &dyn Entropy) -> anyhow::Result<String> {
    let minted = credential::token(entropy);
    let new = NewToken {
        name: &"bench".parse()?,
        role: Role::Operator,
        digest: &minted.digest,
        hint: credential::hint(&minted.secret),
        created_by: "bench",
        expires_at: None,
    };
    store.create_token(&new).await?;
    Ok(minted.secret)
}
