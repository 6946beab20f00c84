//! The pure heart of Issue Mirror: types, rendering, planning; no I/O, no clock.
