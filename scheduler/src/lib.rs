//! Decides what is due and hands it out: [`tick`] owes scans, [`dispatch`] sends tickets,
//! [`sweep`] takes back what was lost. What matters is in the record, which owes; so any number of
//! these may run, stop, pause and start again at any moment.

pub mod dispatch;
mod outage;
pub mod prune;
pub mod sweep;
pub mod tick;
mod turn;
