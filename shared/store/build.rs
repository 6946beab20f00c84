//! The migrations are embedded at compile time: a new file among them must cause a new compile.

#[expect(
    clippy::print_stdout,
    reason = "standard output is how a build script speaks to cargo"
)]
fn main() {
    println!("cargo::rerun-if-changed=../../migrations/sqlite");
}
