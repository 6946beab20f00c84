//! Decides what is due and hands out tickets: dispatch and sweep.
