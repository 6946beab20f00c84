//! The record of Issue Mirror: what is mapped, intended and owed.
