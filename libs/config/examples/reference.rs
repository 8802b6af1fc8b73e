//! Prints the reference page of all flags: `cargo run -p skua-config --example reference > docs/reference/flags.md`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(skua_config::reference().as_bytes())
}
