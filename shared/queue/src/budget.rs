//! The request budget: when may a request leave, so that no limit of GitLab's is ever hit and
//! (almost) none of it is left unused.
//!
//! **Counting.** GitLab counts in fixed windows aligned to the epoch, on its own clock; proxies and
//! other versions count in sliding ones. Neither window's phase is known for sure, and between our
//! decision and GitLab's count lies a journey of unknown length. One rule is safe for all of them: a
//! request occupies its place from the moment it may leave until one whole period after its answer
//! came. Whatever window a server counts in, the last request of ours to be admitted into it saw
//! all the others counted (`trail.rs` has the proof). The price is one round trip a period: with an
//! average answer in 300 ms, 99.5 % of a limit of 600 a minute is used.
//!
//! **Learning.** `RateLimit-Remaining` counts what others used as well; within a window it only
//! falls, and requests still on their way are held against it (`announced.rs`). A refusal closes
//! its class (application limiter) or everything of the account (the throttle of all requests), and
//! where no limit is known it teaches one, which is raised again with care (`bucket.rs`).
//!
//! **Starting carefully.** An instance of which nothing is known is asked one request at a time at
//! first, doubling with each round trip; 5xx answers and time-outs halve that, and five in a row
//! open the circuit (`circuit.rs`).
//!
//! **The reserve.** A tenth of each limit is kept for work that a person waits for. It does not lie
//! idle: other work trickles through it evenly over the period, so that a person's request always
//! finds the next place within moments, and the whole limit is used.
//!
//! **Sharing.** All of this is one pure account book an instance (`book.rs`). In one process it lies
//! in memory. Among many it lies in Redis as a text, and each process reads it, decides by the same
//! code and writes it back if nobody was faster (`clerk.rs`). Redis' time is everybody's. A book
//! that was lost is put together again from what each process remembers (`lineage.rs`).

mod announced;
mod book;
mod bucket;
mod circuit;
mod clerk;
mod desk;
mod ledger;
mod limit;
mod lineage;
mod pace;
mod places;
mod room;
mod shared;
mod shelf;
mod skew;
mod strangers;
mod trail;
mod view;
mod written;

pub use limit::{Limit, LimitArgument, LimitError, Side};
pub use pace::Budget;
pub use shelf::{Contents, Page, RedisShelf, Shelf, Write};
pub use view::BucketView;
