use super::{
    execution::Execution,
    local::{self, Receiver},
    remote::Remote,
};
use crate::{connection::Redis, signals::Signals};
use mirror_core::job::Ticket;
use tokio_util::sync::CancellationToken;

/// The end that tickets are taken from.
#[derive(Debug)]
pub struct Consumer {
    from: From,
}

#[derive(Debug)]
enum From {
    Process(Receiver),
    Redis(Remote),
}

impl Consumer {
    pub(super) fn in_process(tickets: Receiver) -> Self {
        Self {
            from: From::Process(tickets),
        }
    }

    /// Takes tickets from Redis. `signals` should be of the same Redis; with others tickets are
    /// noticed later.
    pub fn redis(redis: &Redis, signals: &Signals) -> Self {
        Self {
            from: From::Redis(Remote::new(redis.clone(), signals)),
        }
    }

    /// Executes tickets, `concurrency` at once, until `shutdown` is asked for or, within the
    /// process, every producer is gone. What has been started is finished; what this consumer took
    /// and did not start comes back, to be handed back to the record. (Tickets that still wait in
    /// Redis stay there for other workers.)
    ///
    /// A panic in `execute` ends that ticket alone: `on_panic` hears of it with the panic's
    /// message. Redis' failures are waited out.
    pub async fn run<E, F, P>(
        self,
        concurrency: usize,
        shutdown: CancellationToken,
        execute: E,
        on_panic: P,
    ) -> Vec<Ticket>
    where
        E: Fn(Ticket) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
        P: Fn(Ticket, &str) + Clone + Send + Sync + 'static,
    {
        let execution = Execution::new(execute, on_panic);
        match self.from {
            From::Process(tickets) => local::run(tickets, concurrency, shutdown, execution).await,
            From::Redis(remote) => remote.run(concurrency, shutdown, execution).await,
        }
    }
}
