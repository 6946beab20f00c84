//! An independent, wire-level GitLab with fault injection, for tests and the demo.
//!
//! It shares no type with the client: what it knows, it knows from how GitLab behaves.
//!
//! ```
//! use gitlab_sim::{AccessLevel, IssueSpec, ProjectSpec, Sim, TokenSpec, UserSpec};
//!
//! let sim = Sim::builder().build();
//! let alice = sim.add_user(UserSpec::new("alice", "Alice"));
//! let project = sim.add_project(ProjectSpec::new("shop/checkout", &[(alice, AccessLevel::Owner)]));
//! sim.add_token(alice, TokenSpec::api("secret"));
//! let spec = IssueSpec { author: alice, title: "First".into(), ..IssueSpec::default() };
//! assert_eq!(sim.edit(|world| world.create_issue(project, spec)), Ok(1));
//! ```

mod api;
mod clock;
mod front;
mod model;
pub mod pattern;
pub mod scenario;
pub mod seed;
mod serve;
mod settings;
mod sim;
pub mod text;
pub mod web;

pub use clock::SimClock;
pub use front::faults::{Fault, FaultRule, When};
pub use front::hook::{Hook, HookVerdict, Phase, RequestEvent};
pub use front::lost::ConnectionLost;
pub use front::record::RequestRecord;
pub use model::*;
pub use serve::{ServeError, Server};
pub use settings::{Edition, RateLimits, Settings, UnknownSetting, Version, Window};
pub use sim::{Sim, SimBuilder};
