//! From two web addresses and two tokens to a connected mirror. Every request of the set-up is
//! here: at most five an end.

use crate::{
    address::Address,
    check::{self, Finding, Level},
    cli::ReachArguments,
    exit::misconfigured,
    tokens::Tokens,
};
use mirror_core::{
    ids::{InstanceId, InstanceName},
    ports::{Account, Clock, Entropy, Pace},
    project::{Metadata, Project, TokenUser},
};
use mirror_gitlab::{Client, ErrorKind, HttpTransport, Options, Token, Transport};
use mirror_queue::budget::{Budget, Limit, Side as LimitSide};
use mirror_runtime::{Secret, SystemClock, SystemEntropy};
use mirror_store::{MirrorEnd, NewMirror, Store};
use mirror_worker::{End, Link, Settings, Side};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// What all requests go through.
pub(crate) struct Reach {
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// The limits.
    pub(crate) budget: Arc<Budget>,
    transport: Arc<dyn Transport>,
    options: Options,
}

impl Reach {
    /// Sets up transport and limits; sends nothing.
    pub(crate) fn new(arguments: &ReachArguments) -> anyhow::Result<Self> {
        let options = Options {
            ca_file: arguments.ca_file.clone(),
            proxy: arguments.proxy.clone(),
            read_timeout: arguments.request_timeout,
            // A whole window: a job that waits in place keeps what it has read.
            spacing_patience: Duration::from_secs(70),
            ..Options::default()
        };
        let transport = HttpTransport::new(&options).map_err(|error| {
            let error = anyhow::Error::from(error);
            misconfigured(format!("{error:#}; check --ca-file and --proxy"))
        })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(Self {
            budget: Arc::new(Budget::new(clock.clone())),
            clock,
            entropy: Arc::new(SystemEntropy),
            transport: Arc::new(transport),
            options,
        })
    }

    fn client(&self, address: &Address, token: &Secret, instance: InstanceId) -> Client {
        // Whom the token acts as is not known yet; the digest tells tokens apart and is not the
        // token.
        let digest = hex_of(token.expose());
        Client::new(
            address.base.clone(),
            Token::new(token.expose()),
            Account {
                instance,
                user: digest,
            },
            self.transport.clone(),
            self.budget.clone() as Arc<dyn Pace>,
            self.clock.clone(),
            self.entropy.clone(),
            &self.options,
        )
        .by_hand()
    }
}

fn hex_of(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// One end, asked.
pub(crate) struct Asked {
    /// Reaches it.
    pub(crate) client: Client,
    /// Its address.
    pub(crate) address: Address,
    /// What runs there.
    pub(crate) metadata: Metadata,
    /// Whom the token acts as.
    pub(crate) user: TokenUser,
    /// The project.
    pub(crate) project: Project,
}

/// Both ends, and what was found out about them. An end is missing if it could not be asked.
pub(crate) struct Ends {
    /// Where issues come from.
    pub(crate) source: Option<Asked>,
    /// Where copies go.
    pub(crate) target: Option<Asked>,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
}

/// The addresses of both ends.
pub(crate) struct Addresses {
    /// Where issues come from.
    pub(crate) source: Address,
    /// Where copies go.
    pub(crate) target: Address,
}

impl Addresses {
    /// Reads them.
    pub(crate) fn parse(
        source: &str,
        target: &str,
        reach: &ReachArguments,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            source: Address::parse(
                source,
                reach.source_instance.as_deref(),
                "--source-instance",
            )?,
            target: Address::parse(
                target,
                reach.target_instance.as_deref(),
                "--target-instance",
            )?,
        })
    }
}

/// Asks both ends.
pub(crate) async fn ask(
    reach: &Reach,
    arguments: &ReachArguments,
    addresses: &Addresses,
    tokens: &Tokens,
) -> Ends {
    let Addresses { source, target } = addresses;
    // The limits of an instance are its own, whichever side it is on.
    let one_instance = source.base.origin() == target.base.origin();
    let source_key = InstanceId(1);
    let target_key = if one_instance {
        source_key
    } else {
        InstanceId(2)
    };
    for (key, side) in [
        (source_key, LimitSide::Source),
        (target_key, LimitSide::Target),
    ] {
        let limits: Vec<Limit> = arguments
            .limits
            .iter()
            .filter(|given| given.side.is_none_or(|of| of == side))
            .map(|given| given.limit)
            .collect();
        if !limits.is_empty() {
            reach.budget.configure(key, limits);
        }
    }
    let from = ask_one(reach, Side::Source, source, &tokens.source, source_key);
    let to = ask_one(reach, Side::Target, target, &tokens.target, target_key);
    let ((from, mut findings), (mut to, more)) = tokio::join!(from, to);
    findings.extend(more);
    if let (Some(from), Some(to)) = (&from, &mut to) {
        findings.extend(check::audience(&from.project, &to.project));
        if one_instance && from.user.id == to.user.id {
            // Two tokens of one user share that user's limits.
            to.client = to
                .client
                .clone()
                .with_account(from.client.account().clone());
        }
    }
    Ends {
        source: from,
        target: to,
        findings,
    }
}

async fn ask_one(
    reach: &Reach,
    side: Side,
    address: &Address,
    token: &Secret,
    key: InstanceId,
) -> (Option<Asked>, Vec<Finding>) {
    let client = reach.client(address, token, key);
    let mut findings = Vec::new();
    let user = match client.token_user().await {
        Ok(user) => user,
        Err(error) => return (None, vec![check::unreachable(side, &address.path, &error)]),
    };
    let facts = match client.token_facts().await {
        Ok(facts) => Some(facts),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::Unauthorized { .. }
            ) =>
        {
            None
        }
        Err(error) => return (None, vec![check::unreachable(side, &address.path, &error)]),
    };
    findings.extend(check::token(
        side,
        facts.as_ref(),
        reach.clock.now().date_naive(),
    ));
    if findings.iter().any(Finding::is_in_the_way) {
        return (None, findings);
    }
    let asked = async {
        Ok((
            client.metadata().await?,
            client.project_by_path(&address.path).await?,
        ))
    };
    match asked.await {
        Ok((metadata, project)) => {
            findings.push(Finding::ok(
                &side.to_string(),
                format!(
                    "GitLab {} at {}, as {}",
                    metadata.version, address.base, user.username
                ),
            ));
            findings.extend(check::project(side, &project));
            let address = address.clone();
            (
                Some(Asked {
                    client,
                    address,
                    metadata,
                    user,
                    project,
                }),
                findings,
            )
        }
        Err(error) => {
            findings.push(check::unreachable(side, &address.path, &error));
            (None, findings)
        }
    }
}

impl Ends {
    /// Both ends, if nothing is in the way; else what is.
    pub(crate) fn both(self) -> anyhow::Result<(Asked, Asked, Vec<Finding>)> {
        let in_the_way: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| finding.is_in_the_way())
            .collect();
        if let (Some(source), Some(target), []) = (self.source, self.target, in_the_way.as_slice())
        {
            let notes = self.findings;
            return Ok((source, target, notes));
        }
        let lines: Vec<String> = in_the_way.iter().map(|finding| finding.line()).collect();
        let text = lines.join("\n       ");
        if in_the_way
            .iter()
            .any(|finding| finding.level == Level::Misconfigured)
        {
            Err(misconfigured(text))
        } else {
            Err(anyhow::anyhow!(text))
        }
    }
}

/// The name an instance gives itself in its pages' addresses: host and path, no scheme.
fn instance_name(asked: &Asked) -> InstanceName {
    let own = asked.project.web_url.trim_end_matches('/');
    let base = own
        .strip_suffix(asked.project.path.as_str())
        .unwrap_or(asked.address.base.as_str());
    let name = base.split_once("://").map_or(base, |(_, name)| name);
    InstanceName(name.trim_end_matches('/').to_lowercase())
}

/// The name by which it was addressed.
fn addressed_as(asked: &Asked) -> String {
    let base = asked.address.base.as_str();
    let name = base.split_once("://").map_or(base, |(_, name)| name);
    name.trim_end_matches('/').to_lowercase()
}

/// Registers both ends and their mirror in the record, and connects them.
pub(crate) async fn link(
    store: &Store,
    source: Asked,
    target: Asked,
    settings: Settings,
) -> anyhow::Result<Link> {
    if source.project.id == target.project.id && instance_name(&source) == instance_name(&target) {
        return Err(misconfigured(format!(
            "source and target are the same project, {}; give two",
            source.project.path
        )));
    }
    let source = register(store, source).await?;
    let target = register(store, target).await?;
    let end = |end: &End| MirrorEnd {
        instance: end.instance,
        project: end.project.id,
        path: end.project.path.clone(),
    };
    let new = NewMirror {
        source: end(&source),
        target: end(&target),
    };
    let mirror = store.ensure_mirror(&new).await?;
    Ok(Link {
        mirror: mirror.id,
        source,
        target,
        settings,
    })
}

async fn register(store: &Store, asked: Asked) -> anyhow::Result<End> {
    let name = instance_name(&asked);
    let alias = addressed_as(&asked);
    let aliases = if alias == name.0 {
        Vec::new()
    } else {
        vec![alias]
    };
    let base = asked.address.base.as_str();
    let instance = store.register_instance(&name, base, &aliases).await?;
    let known = store.instance(instance).await?;
    store
        .remember_our_user(instance, asked.user.id, &asked.user.username)
        .await?;
    let (name, also_known_as) = match known {
        // The name of the first registration stands in markers already.
        Some(known) => (known.name, known.also_known_as),
        None => (name, Vec::new()),
    };
    Ok(End {
        instance,
        name,
        also_known_as,
        client: asked.client,
        project: asked.project,
        metadata: asked.metadata,
        user: asked.user,
    })
}
