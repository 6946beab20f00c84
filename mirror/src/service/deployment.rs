//! One deployment: its record, its key, its Redis.

use crate::{
    exit::misconfigured,
    sync::{load_key, load_old_key},
};
use chrono::TimeDelta;
use mirror_api::TrustedProxies;
use mirror_core::{
    ids::InstanceId,
    ports::{Clock, Entropy},
    provenance::Key,
};
use mirror_queue::{
    budget::Budget,
    connection::{Redis, RedisUrl},
    names::Prefix,
    signals::Signals,
};
use mirror_runtime::{Environment, SystemClock, SystemEntropy, state_dir::StateDir};
use mirror_store::{Cipher, DatabaseUrl, Store, StoreError};
use mirror_worker::Dial;
use std::sync::Arc;

use super::{DeploymentArguments, first, poison};

/// Where the record is: `postgres://…`, `sqlite:PATH`.
const DATABASE_URL: &str = "DATABASE_URL";
/// Where tickets travel between processes.
const REDIS_URL: &str = "REDIS_URL";
/// For trying what a machine with a wrong clock does; seconds.
const CLOCK_SKEW: &str = "ISSUE_MIRROR_TEST_CLOCK_SKEW";
/// What keys in Redis begin with.
const REDIS_PREFIX: &str = "ISSUE_MIRROR_REDIS_PREFIX";

/// One deployment, reached.
pub(crate) struct Deployment {
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// The record.
    pub(crate) store: Store,
    /// Signs markers.
    pub(crate) key: Key,
    /// Opens tokens.
    pub(crate) cipher: Cipher,
    /// Where tickets travel between processes; none: within this one.
    pub(crate) redis: Option<Redis>,
    /// Wakes those who wait for work.
    pub(crate) signals: Signals,
    /// When a request may leave, of all workers together.
    pub(crate) budget: Arc<Budget>,
    /// The way to an instance.
    pub(crate) dial: Arc<Dial>,
    /// The state folder; the record's, unless it is shared.
    pub(crate) folder: StateDir,
    /// The record is on a server.
    pub(crate) shared: bool,
    /// Whose word is taken for where a request comes from.
    pub(crate) proxies: TrustedProxies,
}

/// Whether the schema is brought up to date first. A file of our own always is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Schema {
    /// Only `all`, which nobody else shares a start with, and `migrate` change a shared database.
    Migrate,
    /// It has to be this version's.
    AsItIs,
}

impl Deployment {
    /// Reads the environment and connects.
    pub(crate) async fn open(
        arguments: &DeploymentArguments,
        environment: &Environment,
        schema: Schema,
    ) -> anyhow::Result<Self> {
        let skew: i64 = environment
            .parsed(CLOCK_SKEW, "a number of seconds")?
            .unwrap_or(0);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::off_by(TimeDelta::seconds(skew)));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let proxies = first::proxies(environment)?;
        let folder = StateDir::open(arguments.state_dir.as_deref(), environment)
            .map_err(|error| misconfigured(format!("{:#}", anyhow::Error::from(error))))?;
        let (key, bytes) = load_key(&folder, environment)?;
        let mut cipher = Cipher::new(&bytes);
        if let Some(old) = load_old_key(&folder, environment)? {
            cipher = cipher.and_opens(old.as_bytes());
        }
        let url = database_url(environment, &folder)?;
        if schema == Schema::Migrate || !url.is_shared() {
            Store::migrate(&url, clock.clone())
                .await
                .map_err(of_record)?;
        }
        let store = Store::connect(&url, clock.clone())
            .await
            .map_err(of_record)?;
        let redis = redis(environment, &clock, &entropy).await?;
        let signals = match &redis {
            Some(redis) => Signals::redis(redis),
            None => Signals::in_process(),
        };
        let budget = Arc::new(match &redis {
            Some(redis) => Budget::redis(redis),
            None => Budget::new(clock.clone()),
        });
        Ok(Self {
            clock,
            entropy,
            store,
            key,
            cipher,
            redis,
            signals,
            budget,
            dial: poison::dial(environment)?,
            folder,
            shared: url.is_shared(),
            proxies,
        })
    }

    /// Fails where tokens are stored and this process's key opens none: whatever mirror it took would
    /// rest, although others can work on it.
    pub(crate) async fn key_opens(&self) -> anyhow::Result<()> {
        let mut sealed = 0;
        for entry in self.store.instance_entries().await? {
            let instance = InstanceId(entry.id);
            match self.store.instance_access(instance, &self.cipher).await {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(()),
                Err(StoreError::Sealed(_)) => sealed += 1,
                Err(error) => return Err(error.into()),
            }
        }
        if sealed == 0 {
            return Ok(());
        }
        Err(misconfigured(format!(
            "this key opens none of the {sealed} stored tokens: give the deployment's key with \
             ISSUE_MIRROR_KEY or ISSUE_MIRROR_KEY_FILE; if it is lost, store the tokens again with \
             `issue-mirror instances add`"
        )))
    }

    /// Fails where this process would work alone on a record that others cannot reach.
    pub(crate) fn is_to_be_shared(environment: &Environment, role: &str) -> anyhow::Result<()> {
        let set = |name| Ok::<_, anyhow::Error>(environment.text(name)?.is_some());
        if set(DATABASE_URL)? && set(REDIS_URL)? {
            return Ok(());
        }
        Err(misconfigured(format!(
            "`{role}` shares its work with other processes: set DATABASE_URL (postgres://…) and \
             REDIS_URL (redis://…), or run `issue-mirror all`, which needs neither"
        )))
    }
}

/// Where the record is, by the environment.
pub(crate) fn database_url(
    environment: &Environment,
    folder: &StateDir,
) -> anyhow::Result<DatabaseUrl> {
    match environment.text(DATABASE_URL)? {
        Some(text) => text
            .trim()
            .parse()
            .map_err(|error| misconfigured(format!("{DATABASE_URL}: {error}"))),
        None => Ok(DatabaseUrl::sqlite(folder.database())),
    }
}

/// Whether others have the record, too.
pub(crate) fn is_shared(environment: &Environment, folder: &StateDir) -> anyhow::Result<bool> {
    Ok(database_url(environment, folder)?.is_shared())
}

pub(super) fn of_record(error: mirror_store::ConnectError) -> anyhow::Error {
    let transient = error.is_transient();
    let error = anyhow::Error::from(error);
    if transient {
        error
    } else {
        misconfigured(format!("{error:#}"))
    }
}

async fn redis(
    environment: &Environment,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<Option<Redis>> {
    let Some(url) = environment.text(REDIS_URL)? else {
        return Ok(None);
    };
    let url: RedisUrl = url
        .trim()
        .parse()
        .map_err(|error| misconfigured(format!("{REDIS_URL}: {error}")))?;
    let prefix: Prefix = match environment.text(REDIS_PREFIX)? {
        Some(prefix) => prefix
            .parse()
            .map_err(|error| misconfigured(format!("{REDIS_PREFIX}: {error}")))?,
        None => Prefix::default(),
    };
    let wrong = |error: mirror_queue::connection::RedisError| {
        let transient = error.is_transient();
        let error = anyhow::Error::from(error);
        if transient {
            error
        } else {
            misconfigured(format!("{error:#}"))
        }
    };
    let redis = Redis::new(url, prefix, clock.clone(), entropy.clone()).map_err(wrong)?;
    match redis.check().await {
        Ok(None) => {}
        Ok(Some(warning)) => tracing::warn!("{warning}"),
        // It may come back; until then work waits in the record.
        Err(error) if error.is_transient() => {
            tracing::warn!(error = %format!("{:#}", anyhow::Error::from(error)), "redis does not answer; going on without it until it does");
        }
        Err(error) => return Err(wrong(error)),
    }
    Ok(Some(redis))
}
