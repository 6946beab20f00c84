//! Stories of the whole house: its shape, and what the binary does as a process.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod architecture;
mod process;
mod service;
