//! Whoever asks: a connection that is kept open, one question after the other.

use anyhow::Context;
use mirror_core::ports::Clock;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Not counted: connections and caches warm up.
const WARMING: Duration = Duration::from_millis(200);

/// One question, asked again and again.
pub(crate) struct Load {
    /// Of whom.
    pub(crate) address: SocketAddr,
    /// The whole requests, as they are sent, one after the other; each connection begins elsewhere.
    pub(crate) requests: Vec<Vec<u8>>,
    /// So many ask at once.
    pub(crate) connections: usize,
    /// So long.
    pub(crate) length: Duration,
}

/// How it was answered.
pub(crate) struct Measured {
    /// Answers in a second.
    pub(crate) rate: f64,
    /// The middle one took so long.
    pub(crate) p50: Duration,
    /// All but one of a hundred took no longer.
    pub(crate) p99: Duration,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let (p50, p99) = (ms(self.p50), ms(self.p99));
        write!(f, "{:>7.0}/s {p50:>8.2} {p99:>8.2}", self.rate)
    }
}

/// Asks, and measures.
pub(crate) async fn load(load: Load, clock: &Arc<dyn Clock>) -> anyhow::Result<Measured> {
    let load = Arc::new(load);
    let from = clock.monotonic().saturating_add(WARMING);
    let until = from.saturating_add(load.length);
    let mut askers = JoinSet::new();
    for first in 0..load.connections {
        askers.spawn(ask(load.clone(), first, clock.clone(), (from, until)));
    }
    let mut took = Vec::new();
    while let Some(asked) = askers.join_next().await {
        took.extend(asked??);
    }
    let spent = clock.monotonic().saturating_sub(from);
    took.sort_unstable();
    let at = |share: usize| took.get((took.len() * share / 100).min(took.len() - 1));
    #[expect(clippy::cast_precision_loss, reason = "a count of answers")]
    let rate = took.len() as f64 / spent.as_secs_f64();
    Ok(Measured {
        rate,
        p50: *at(50).context("nothing was answered in time")?,
        p99: *at(99).context("nothing was answered in time")?,
    })
}

async fn ask(
    load: Arc<Load>,
    first: usize,
    clock: Arc<dyn Clock>,
    (from, until): (Duration, Duration),
) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(load.address).await?;
    stream.set_nodelay(true)?;
    let mut took = Vec::new();
    let mut answer = Vec::new();
    for request in load.requests.iter().cycle().skip(first) {
        let asked = clock.monotonic();
        stream.write_all(request).await?;
        read(&mut stream, &mut answer).await?;
        let answered = clock.monotonic();
        if asked >= from {
            took.push(answered.saturating_sub(asked));
        }
        if answered >= until {
            break;
        }
    }
    Ok(took)
}

/// Reads one answer, which must be a good one.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    answer.clear();
    let mut whole = usize::MAX;
    while answer.len() < whole {
        if stream.read_buf(answer).await? == 0 {
            anyhow::bail!("the connection was closed");
        }
        if whole == usize::MAX {
            whole = length(answer)?.unwrap_or(usize::MAX);
        }
    }
    Ok(())
}

/// Of the whole answer, once its head is there.
fn length(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = answer.windows(4).position(|part| part == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default());
    if !text.starts_with("HTTP/1.1 2") {
        anyhow::bail!("{}", String::from_utf8_lossy(answer));
    }
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .context("an answer without a length")?;
    Ok(Some(head + 4 + body.trim().parse::<usize>()?))
}
