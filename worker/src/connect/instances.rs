//! One client for each instance, whichever mirrors use it.

use super::{
    LIFE, LOOK, Means, Order,
    sharing::{Failed, Read},
};
use crate::{Each, Side, SyncError};
use mirror_core::{
    ids::{InstanceId, InstanceName},
    ports::Account,
    project::{Metadata, TokenUser},
};
use mirror_gitlab::{Client, Error, ErrorKind, Options, Token, TransportErrorKind};
use mirror_queue::budget::Limit;
use mirror_store::{Instance, InstanceAccess, StoreError};
use std::{sync::Arc, time::Duration};
use url::Url;

/// Charged for the one request that asks whom a token acts as.
const NOT_KNOWN_YET: &str = "?";

/// An instance that answers, and what it said.
pub(super) struct Reached {
    pub(super) access: InstanceAccess,
    pub(super) name: InstanceName,
    pub(super) also_known_as: Vec<InstanceName>,
    pub(super) client: Client,
    pub(super) metadata: Metadata,
    pub(super) user: TokenUser,
    pub(super) read: Read,
}

#[derive(Default)]
pub(super) struct Instances(Each<InstanceId, State>);

#[derive(Default)]
struct State {
    reached: Option<Arc<Reached>>,
    /// When the record was last looked at.
    looked: Duration,
    failed: Failed,
}

impl Instances {
    /// The same [`Reached`] as before, unless its access changed or what it said is too old.
    pub(super) async fn reach(
        &self,
        means: &Means,
        order: &Order,
        side: Side,
        id: InstanceId,
        doubted: u64,
    ) -> Result<Arc<Reached>, SyncError> {
        let began = order.next();
        let mut state = self.0.lock(id).await;
        let now = means.clock.monotonic();
        let good = state
            .reached
            .as_ref()
            .filter(|reached| reached.read.is_good(now, LIFE, doubted));
        if let Some(reached) = good
            && now.saturating_sub(state.looked) < LOOK
        {
            return Ok(reached.clone());
        }
        if let Some(error) = state.failed.since(began) {
            return Err(error.on_side(side));
        }
        let access = match access(means, Some(side), id).await {
            Ok(access) => access,
            Err(error) => {
                state.failed.note(&error, order);
                return Err(error);
            }
        };
        let good = good.filter(|reached| reached.access == access).cloned();
        if let Some(reached) = good {
            state.looked = now;
            return Ok(reached);
        }
        match renew(means, order, side, access, state.reached.as_deref()).await {
            Ok(reached) => {
                let reached = Arc::new(reached);
                state.looked = now;
                state.reached = Some(reached.clone());
                Ok(reached)
            }
            Err(error) => {
                state.failed.note(&error, order);
                Err(error)
            }
        }
    }
}

/// How the record says that the instance is reached.
pub(super) async fn access(
    means: &Means,
    side: Option<Side>,
    id: InstanceId,
) -> Result<InstanceAccess, SyncError> {
    let side = side.map_or(String::new(), |side| format!("{side} "));
    let name = async || {
        let known = means.store.instance(id).await?;
        Ok::<_, SyncError>(known.map_or_else(|| id.to_string(), |known| known.name.0))
    };
    match means.store.instance_access(id, &means.cipher).await {
        Ok(Some(access)) => Ok(access),
        Ok(None) => Err(SyncError::AtFault {
            reason: format!(
                "no token is stored for the {side}instance {}; store one with `issue-mirror \
                 instances add`",
                name().await?
            ),
        }),
        Err(StoreError::Sealed(error)) => Err(SyncError::AtFault {
            reason: format!("the token of the {side}instance {}: {error}", name().await?),
        }),
        Err(error) => Err(error.into()),
    }
}

async fn renew(
    means: &Means,
    order: &Order,
    side: Side,
    access: InstanceAccess,
    before: Option<&Reached>,
) -> Result<Reached, SyncError> {
    let id = access.id;
    let known = means.store.instance(id).await?;
    let known = known.ok_or(StoreError::NoSuchInstance(id))?;
    let client = match before {
        Some(before) if before.access == access => before.client.clone(),
        Some(_) | None => {
            (means.limits)(id, limits(&known, &access));
            client(means, &known, &access)?
        }
    };
    let read = Read {
        order: order.next(),
        at: means.clock.monotonic(),
    };
    let refused = |error| without_answer(side, error, |error| Some(mend(&known, error)));
    let user = client.token_user().await.map_err(refused)?;
    let client = client.with_account(Account {
        instance: id,
        user: user.id.to_string(),
    });
    let metadata = client.metadata().await.map_err(refused)?;
    means
        .store
        .remember_our_user(id, user.id, &user.username)
        .await?;
    Ok(Reached {
        access,
        name: known.name,
        also_known_as: known.also_known_as,
        client,
        metadata,
        user,
        read,
    })
}

pub(super) fn client(
    means: &Means,
    known: &Instance,
    access: &InstanceAccess,
) -> Result<Client, SyncError> {
    let at_fault = |reason: String| SyncError::AtFault { reason };
    let name = &known.name;
    let base = Url::parse(&access.api_base)
        .map_err(|error| at_fault(format!("the address stored for {name} is no URL: {error}")))?;
    let options = Options {
        ca: access.ca.clone(),
        ..means.options.clone()
    };
    let transport = (means.dial)(&base, &options).map_err(|error| {
        at_fault(format!(
            "the certificates stored for {name}, or the proxy, cannot be used: {error}"
        ))
    })?;
    Ok(Client::new(
        base,
        Token::new(access.token.as_str()),
        Account {
            instance: access.id,
            user: NOT_KNOWN_YET.to_owned(),
        },
        transport,
        means.pace.clone(),
        means.clock.clone(),
        means.entropy.clone(),
        &options,
    ))
}

/// A limit that cannot be read is none: what the instance really allows is learnt from its answers.
fn limits(known: &Instance, access: &InstanceAccess) -> Vec<Limit> {
    let read = |text: &String| match Limit::parse(text) {
        Ok(limit) => Some(limit),
        Err(error) => {
            tracing::warn!(instance = %known.name, %error, "a stored limit is left out");
            None
        }
    };
    access.limits.iter().filter_map(read).collect()
}

/// What an end's failure to answer means for the mirror. An instance that is away is waited for:
/// nothing has been tried on the issue. Whatever does not pass by itself needs a person, and is
/// nothing that the issue could be blamed for.
pub(super) fn without_answer(
    side: Side,
    error: Error,
    mend: impl FnOnce(&Error) -> Option<String>,
) -> SyncError {
    if error.retry_at().is_some() {
        return SyncError::GitLab {
            side,
            source: error,
        };
    }
    if error.is_transient() {
        return SyncError::Unreachable {
            side,
            source: error,
        };
    }
    SyncError::AtFault {
        reason: match mend(&error) {
            Some(mend) => format!("{mend} ({error})"),
            None => format!("the {side} project cannot be read ({error})"),
        },
    }
}

pub(super) fn mend(known: &Instance, error: &Error) -> String {
    let name = &known.name;
    let kind = error.kind();
    if matches!(kind, ErrorKind::Unauthorized { .. }) {
        return format!("the token for {name} is not accepted any more; store a new one");
    }
    if matches!(kind, ErrorKind::InsufficientScope { .. }) {
        return format!(
            "the token for {name} lacks a scope; a source needs read_api, a target api"
        );
    }
    if matches!(kind, ErrorKind::Forbidden) {
        return format!("the user of the token for {name} is not let in; look at that user there");
    }
    if let ErrorKind::Redirected { to } = kind {
        return format!("{name} answers at {to}; store that address");
    }
    if let ErrorKind::Transport(cause) = kind
        && cause.kind() == TransportErrorKind::Tls
    {
        return format!(
            "the certificate of {name} is not trusted; store its authority's certificate with the \
             instance"
        );
    }
    let base = &known.api_base;
    format!("what answers at {base} is no GitLab; check the address stored for {name}")
}
