//! Prints the description of the API: `cargo run -p mirror-api --example openapi > api/openapi.json`.

#![expect(clippy::print_stdout, reason = "what it is for")]

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&mirror_api::openapi())?);
    Ok(())
}
