//! What this build is: `/version` and `skua version`, with Jaeger's field names.

use serde_json::json;

/// The release, as in `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `{"gitCommit":…,"gitVersion":…,"buildDate":…}`. Commit and date come from the build's environment
/// (`SKUA_GIT_COMMIT`, `SKUA_BUILD_DATE`) and are empty where it did not set them.
pub fn json() -> String {
    let (commit, date) = (option_env!("SKUA_GIT_COMMIT").unwrap_or(""), option_env!("SKUA_BUILD_DATE").unwrap_or(""));
    json!({"gitCommit": commit, "gitVersion": format!("v{VERSION}"), "buildDate": date}).to_string()
}
