use futures_util::{FutureExt, future::BoxFuture};
use mirror_core::job::Ticket;
use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

/// What to do with a ticket; never panics, always succeeds.
#[derive(Clone)]
pub(super) struct Execution {
    run: Arc<dyn Fn(Ticket) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Execution {
    pub(super) fn new<E, F, P>(execute: E, on_panic: P) -> Self
    where
        E: Fn(Ticket) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
        P: Fn(Ticket, &str) + Clone + Send + Sync + 'static,
    {
        let run = move |ticket: Ticket| {
            let execute = execute.clone();
            let on_panic = on_panic.clone();
            let guarded = async move {
                let execution = AssertUnwindSafe(async { execute(ticket).await });
                if let Err(panic) = execution.catch_unwind().await {
                    on_panic(ticket, message(panic.as_ref()));
                }
            };
            guarded.boxed()
        };
        Self { run: Arc::new(run) }
    }

    pub(super) fn run(&self, ticket: Ticket) -> BoxFuture<'static, ()> {
        (self.run)(ticket)
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Execution")
    }
}

pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
