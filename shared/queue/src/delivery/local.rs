use crate::names;
use apalis::prelude::{
    MemorySink, MemoryStorage, MemoryStorageError, ParallelizeExt, Task, TaskBuilder, TaskId,
    WorkerBuilder, WorkerBuilderExt, WorkerError,
};
use futures_util::{
    FutureExt, Sink, SinkExt, StreamExt, future::BoxFuture, lock::Mutex as AsyncMutex, stream,
};
use mirror_core::job::Ticket;
use std::{
    any::Any,
    convert::Infallible,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The end that tickets are taken from.
#[derive(Debug)]
pub struct Consumer {
    tickets: mpsc::Receiver<Ticket>,
}

/// Shared between apalis' stream and the clearing out after it.
type Tickets = Arc<Mutex<mpsc::Receiver<Ticket>>>;

impl Consumer {
    pub(super) fn new(tickets: mpsc::Receiver<Ticket>) -> Self {
        Self { tickets }
    }

    /// Executes tickets, `concurrency` at once, until `shutdown` is asked for or every producer is
    /// gone. What has been started is finished; what has not comes back, to be handed back to the
    /// record.
    ///
    /// A panic in `execute` ends that ticket alone: `on_panic` hears of it with the panic's
    /// message.
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
        // A child: when the producers are gone we stop, not the whole process.
        let ended = shutdown.child_token();
        let tickets = Arc::new(Mutex::new(self.tickets));
        if ended.is_cancelled() {
            return clear_out(&tickets);
        }
        let handle = move |ticket: Ticket| {
            let execute = execute.clone();
            let on_panic = on_panic.clone();
            async move {
                let execution = AssertUnwindSafe(async { execute(ticket).await });
                if let Err(panic) = execution.catch_unwind().await {
                    on_panic(ticket, message(panic.as_ref()));
                }
            }
        };
        let storage = storage(Arc::clone(&tickets), ended.clone());
        let stopped = drive(storage, concurrency, ended, handle).await;
        if let Err(error) = stopped {
            tracing::error!(error = %error, "the delivery ended before its time");
        }
        clear_out(&tickets)
    }
}

/// Boxed: the compiler cannot see that apalis' own future may move between threads once it is
/// hidden inside another.
fn drive<H, F>(
    storage: MemoryStorage<Ticket>,
    concurrency: usize,
    ended: CancellationToken,
    handle: H,
) -> BoxFuture<'static, Result<(), WorkerError>>
where
    H: Fn(Ticket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let worker = WorkerBuilder::new(worker_name())
        .backend(storage)
        .concurrency(concurrency.max(1))
        // For a panic in the reporting of a panic.
        .catch_panic()
        .parallelize(tokio::spawn)
        .build(handle);
    let end = async move {
        ended.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    Box::pin(worker.run_until(end))
}

/// apalis refuses a name that is in use.
fn worker_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", names::WORKER)
}

fn storage(tickets: Tickets, ended: CancellationToken) -> MemoryStorage<Ticket> {
    let stream = stream::poll_fn(move |cx| {
        let next = tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .poll_recv(cx);
        // After its stream's end apalis still waits to be told to stop.
        if next == std::task::Poll::Ready(None) {
            ended.cancel();
        }
        next
    });
    let mut number = 0_u64;
    let tasks = stream.map(move |ticket| {
        number = number.wrapping_add(1);
        TaskBuilder::new(ticket)
            .task_id(TaskId::from_int(number))
            .build()
    });
    MemoryStorage::new_with(unused_sink(), Box::pin(tasks))
}

type BoxedSink = Box<dyn Sink<Task<Ticket>, Error = MemoryStorageError> + Send + Sync + Unpin>;

fn unused_sink() -> MemorySink<Ticket> {
    let sink: BoxedSink =
        Box::new(futures_util::sink::drain().sink_map_err(|never: Infallible| match never {}));
    MemorySink::new(Arc::new(AsyncMutex::new(sink)))
}

fn clear_out(tickets: &Tickets) -> Vec<Ticket> {
    let mut tickets = tickets.lock().unwrap_or_else(PoisonError::into_inner);
    // Closed first, so that a producer cannot slip one in behind us.
    tickets.close();
    std::iter::from_fn(|| tickets.try_recv().ok()).collect()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
