//! The way to Redis: where it is, how to speak to it, what can be wrong with it.

mod error;
mod health;
mod server;
mod url;

pub use error::RedisError;
pub use health::Health;
pub(crate) use server::CALL;
pub use server::Redis;
pub use url::{RedisUrl, RedisUrlError};
