//! Hands out what is due and takes back what was lost. Nothing here is remembered: the record owes,
//! so any number of these may run, stop and start again at any moment.

pub mod dispatch;
pub mod sweep;
