//! Stories of the whole house.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod architecture;
