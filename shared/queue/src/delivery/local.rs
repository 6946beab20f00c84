use super::execution::Execution;
use crate::names;
use apalis::prelude::{
    MemorySink, MemoryStorage, MemoryStorageError, ParallelizeExt, Task, TaskBuilder, TaskId,
    WorkerBuilder, WorkerBuilderExt, WorkerError,
};
use futures_util::{
    Sink, SinkExt, StreamExt, future::BoxFuture, lock::Mutex as AsyncMutex, stream,
};
use mirror_core::job::Ticket;
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(super) type Receiver = mpsc::Receiver<Ticket>;

/// Shared between apalis' stream and the clearing out after it.
type Tickets = Arc<Mutex<Receiver>>;

pub(super) async fn run(
    tickets: Receiver,
    concurrency: usize,
    shutdown: CancellationToken,
    execution: Execution,
) -> Vec<Ticket> {
    // A child: when the producers are gone we stop, not the whole process.
    let ended = shutdown.child_token();
    let tickets = Arc::new(Mutex::new(tickets));
    if ended.is_cancelled() {
        return clear_out(&tickets);
    }
    let storage = storage(Arc::clone(&tickets), ended.clone());
    let stopped = drive(storage, concurrency, ended, execution).await;
    if let Err(error) = stopped {
        tracing::error!(error = %error, "the delivery ended before its time");
    }
    clear_out(&tickets)
}

/// Boxed: the compiler cannot see that apalis' own future may move between threads once it is
/// hidden inside another.
fn drive(
    storage: MemoryStorage<Ticket>,
    concurrency: usize,
    ended: CancellationToken,
    execution: Execution,
) -> BoxFuture<'static, Result<(), WorkerError>> {
    let handle = move |ticket: Ticket| execution.run(ticket);
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
        // Whoever has just ended asks for the next before it looks whether it is to end.
        if ended.is_cancelled() {
            return Poll::Pending;
        }
        let next = tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .poll_recv(cx);
        // After its stream's end apalis still waits to be told to stop.
        if next == Poll::Ready(None) {
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
