use super::{Health, RedisError, RedisUrl};
use crate::names::{Names, Prefix};
use mirror_core::ports::{Clock, Entropy};
use redis::{
    Client, ConnectionInfo, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig, PubSub},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long an ordinary call may take. Who waits for one has something better to do.
pub(crate) const CALL: Duration = Duration::from_secs(3);

/// How long apalis' calls may take: a stall ends its worker, so it is patient.
const PATIENT: Duration = Duration::from_secs(10);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// A Redis server, as one deployment uses it. Clones share the connection, which is set up when it
/// is first needed and again whenever it broke.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    url: RedisUrl,
    client: Client,
    calls: ConnectionManager,
    names: Names,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    unreadable: AtomicU64,
}

impl Redis {
    /// Prepares everything and connects to nothing: [`Redis::check`] does.
    ///
    /// # Errors
    /// TLS cannot be set up: no certificates of authorities, or a wrong one was given.
    pub fn new(
        url: RedisUrl,
        prefix: Prefix,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, RedisError> {
        let client = client(&url)?;
        let calls = client.get_connection_manager_lazy(manager(CALL))?;
        Ok(Self {
            inner: Arc::new(Inner {
                url,
                client,
                calls,
                names: Names::new(prefix),
                clock,
                entropy,
                unreadable: AtomicU64::new(0),
            }),
        })
    }

    /// Asks whether it can be used as it should; returns what a person should mend although it
    /// works.
    ///
    /// # Errors
    /// It cannot: unreachable, wrong password, missing rights, a cluster's node.
    pub async fn check(&self) -> Result<Option<String>, RedisError> {
        let mut connection = self.calls();
        let _: String = redis::cmd("PING").query_async(&mut connection).await?;
        let info: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
        if info.is_ok_and(|info| info.contains("cluster_enabled:1")) {
            return Err(RedisError::Cluster);
        }
        Ok(self.warning().await)
    }

    /// How it is.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn health(&self) -> Result<Health, RedisError> {
        let names = self.names();
        let mut connection = self.calls();
        let asked = self.clock().monotonic();
        let _: String = redis::cmd("PING").query_async(&mut connection).await?;
        let round_trip = self.clock().monotonic().saturating_sub(asked);
        let (waiting, workers): (u64, Vec<String>) = redis::pipe()
            .llen(names.waiting())
            .zrange(names.workers(), 0, -1)
            .query_async(&mut connection)
            .await?;
        let mut counts = redis::pipe();
        for worker in &workers {
            counts.scard(format!("{}:{worker}", names.taken()));
        }
        let taken: Vec<u64> = match workers.is_empty() {
            true => Vec::new(),
            false => counts.query_async(&mut connection).await?,
        };
        let memory: Result<String, _> = redis::cmd("INFO")
            .arg("memory")
            .query_async(&mut connection)
            .await;
        Ok(Health {
            round_trip,
            waiting,
            taken: taken.iter().sum(),
            workers: u64::try_from(workers.len()).unwrap_or(u64::MAX),
            memory: memory.ok().and_then(|info| field(&info, "used_memory")),
            warning: self.warning().await,
        })
    }

    /// Redis may not let us ask, which is no fault.
    async fn warning(&self) -> Option<String> {
        let mut connection = self.calls();
        let policy: Vec<String> = redis::cmd("CONFIG")
            .arg("GET")
            .arg("maxmemory-policy")
            .query_async(&mut connection)
            .await
            .ok()?;
        let policy = policy.get(1)?;
        (policy != "noeviction").then(|| {
            format!(
                "redis may throw away keys (maxmemory-policy is {policy}): set it to noeviction, or \
                 tickets arrive late and limits start anew whenever its memory is full"
            )
        })
    }

    /// How many messages this process took from the queue that were no tickets of its version.
    pub fn unreadable_tickets(&self) -> u64 {
        self.inner.unreadable.load(Ordering::Relaxed)
    }

    pub(crate) fn count_unreadable(&self) {
        self.inner.unreadable.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn names(&self) -> &Names {
        &self.inner.names
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    pub(crate) fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.inner.entropy
    }

    /// The connection for ordinary calls.
    pub(crate) fn calls(&self) -> ConnectionManager {
        self.inner.calls.clone()
    }

    /// A new connection for one of apalis' workers.
    pub(crate) fn patient(&self) -> Result<ConnectionManager, RedisError> {
        Ok(self
            .inner
            .client
            .get_connection_manager_lazy(manager(PATIENT))?)
    }

    /// A new connection that only listens.
    pub(crate) async fn listener(&self) -> Result<PubSub, RedisError> {
        Ok(self.inner.client.get_async_pubsub().await?)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis({})", self.inner.url)
    }
}

fn client(url: &RedisUrl) -> Result<Client, RedisError> {
    if url.is_tls() && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Redis' client takes the process-wide one, and panics where there is none. If somebody
        // else installs one at this very moment that one serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let info: ConnectionInfo = url.info().clone();
    let client = match url.authority() {
        Some(certificate) if url.is_tls() => Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: None,
                root_cert: Some(certificate.to_vec()),
            },
        ),
        Some(_) | None => Client::open(info),
    };
    Ok(client?)
}

/// Who fails asks again by itself, so the manager does not: a call ends in bounded time.
fn manager(response: Duration) -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_response_timeout(Some(response))
        .set_connection_timeout(Some(CONNECT))
        .set_number_of_retries(1)
}

fn field(info: &str, name: &str) -> Option<u64> {
    info.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
}
