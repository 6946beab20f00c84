//! An independent, wire-level GitLab with fault injection, for tests and the demo.
