//! What is put into `index.html`. The UI's build has a default in each of these places; the query tier puts the truth there.

use super::capabilities::Capabilities;
use super::settings::Settings;

/// What the UI has to know of its server.
pub(super) struct Facts<'a> {
    pub settings: Option<&'a Settings>,
    pub capabilities: Capabilities,
    /// JSON.
    pub version: &'a str,
    /// Without a slash at its end; empty for the root.
    pub base: &'a str,
}

/// The page with the facts in it. A line that the page does not have stays out: UIs differ in what they ask for.
pub(super) fn edited(mut page: String, facts: &Facts<'_>) -> String {
    match facts.settings {
        Some(Settings::Json(json)) => page = assign(&page, "CONFIG", json),
        Some(Settings::Js(code)) => page = replace_code(&page, code),
        None => {}
    }
    page = assign(&page, "STORAGE_CAPABILITIES", &facts.capabilities.storage());
    page = assign(&page, "BACKEND_CAPABILITIES", &facts.capabilities.to_string());
    page = assign(&page, "VERSION", facts.version);
    if !facts.base.is_empty() {
        page = page.replace(r#"<base href="/""#, &format!(r#"<base href="{}/""#, attribute(facts.base)));
    }
    page
}

/// `JAEGER_<name> = DEFAULT_<name>;`, with any number of spaces, gets another value.
fn assign(page: &str, name: &str, value: &str) -> String {
    let (variable, default) = (format!("JAEGER_{name}"), format!("DEFAULT_{name};"));
    let mut out = String::with_capacity(page.len() + value.len());
    let mut rest = page;
    while let Some(at) = rest.find(&variable) {
        let (before, after) = rest.split_at(at + variable.len());
        out.push_str(before);
        let assigned = after.trim_start_matches(' ').strip_prefix('=');
        match assigned.and_then(|default_value| default_value.trim_start_matches(' ').strip_prefix(&default)) {
            Some(behind) => {
                out.extend([" = ", value, ";"]);
                rest = behind;
            }
            None => rest = after,
        }
    }
    out + rest
}

/// A line `// JAEGER_CONFIG_JS…` and the line after it become code.
fn replace_code(page: &str, code: &str) -> String {
    let is_marker = |line: &str| {
        let comment = line.trim_start().strip_prefix("//").map(str::trim_start);
        comment.and_then(|c| c.get(..16)).is_some_and(|c| c.eq_ignore_ascii_case("JAEGER_CONFIG_JS"))
    };
    let mut out = String::with_capacity(page.len() + code.len());
    let mut lines = page.split('\n').peekable();
    while let Some(line) = lines.next() {
        if is_marker(line) && lines.next().is_some() {
            out.push_str(code);
        } else {
            out.push_str(line);
        }
        if lines.peek().is_some() {
            out.push('\n');
        }
    }
    out
}

/// Text within the quotes of an attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
